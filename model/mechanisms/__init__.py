"""Pure array functions: the laws of the market, each with its source, in rooms by whom they concern."""
