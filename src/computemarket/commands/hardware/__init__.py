"""Commands of the performance core."""
