"""Vendors: who designs and sells accelerators, and who competes with them."""
