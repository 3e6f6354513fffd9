"""The chapters of a report of one result."""
