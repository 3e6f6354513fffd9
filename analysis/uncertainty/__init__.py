"""Outcomes under uncertainty: sensitivity, scenario discovery, decisions, convergence."""
