"""What running accelerators costs and yields: price of an hour, use, power, tables for the market."""
