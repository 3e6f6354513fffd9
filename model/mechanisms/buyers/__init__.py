"""Laws of those who use compute: demand, classes of work, procurement, search, switching."""
