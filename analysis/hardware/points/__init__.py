"""Measured performance points: how they are read, predicted and fitted, and how sure predictions are."""
