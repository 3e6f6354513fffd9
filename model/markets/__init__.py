"""The markets of a quarter: accelerators, hours and tokens, China, orders, and who pays whom."""
