"""Pure array functions: the laws of the market, each with its source."""
