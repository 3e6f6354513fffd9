"""Laws of money: loans, vendor finance, contagion, auctions, beliefs and valuation."""
