"""The leader's platform: software, compute credits, marketplace, units of compute, channels."""
