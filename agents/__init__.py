"""Who decides: one room per kind of actor."""
