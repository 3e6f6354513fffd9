"""The commands of the command line, in rooms by what they are asked for."""
