"""Results as arrays and measures, their summary, and how two results differ."""
