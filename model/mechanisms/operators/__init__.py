"""Laws of those who own accelerators: investment, options, rents, regimes of operation."""
