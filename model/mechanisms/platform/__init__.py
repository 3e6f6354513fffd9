"""Laws of the leader's platform: business modes, compute credits, units of compute."""
