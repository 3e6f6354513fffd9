"""Who decides: one module per kind of actor."""
