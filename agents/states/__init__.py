"""States: export control, China's regulators, competition authorities."""
