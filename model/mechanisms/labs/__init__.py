"""Laws of labs: what they spend on training."""
