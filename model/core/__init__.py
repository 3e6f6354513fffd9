"""What every part of the model stands on: arrays, quarters, parameters, random streams, books, the recorder."""
