"""Operators: who owns and runs accelerators, and whose silicon they run."""
