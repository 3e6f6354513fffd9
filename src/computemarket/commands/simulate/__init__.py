"""Commands that simulate, resume, fork and reproduce."""
