"""Laws of what answers the rules of states: smuggling as crime supply."""
