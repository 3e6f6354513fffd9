"""Finance: lenders, investors, futures, and the web of credit."""
