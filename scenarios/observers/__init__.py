"""Observers: what a quarter leaves in the results table."""
