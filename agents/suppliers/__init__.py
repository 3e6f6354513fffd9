"""Suppliers: foundries, packaging and memory makers."""
