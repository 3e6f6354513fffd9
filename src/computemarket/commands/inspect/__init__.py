"""Commands that show what the model holds before anything runs."""
