"""The given world: countries, operators, vendors and products, and what their hardware yields."""
