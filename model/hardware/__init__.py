"""The vectorized performance core: what chips do with models, at what power and cost."""
