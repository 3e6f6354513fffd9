"""Laws of those who design and sell accelerators: prices, tiers, learning, entry."""
