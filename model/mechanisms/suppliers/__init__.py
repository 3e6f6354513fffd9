"""Laws of those who supply vendors: capacity, inputs, rationing."""
