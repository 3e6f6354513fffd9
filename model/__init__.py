"""The world and its laws; knows nothing of particular firms."""
