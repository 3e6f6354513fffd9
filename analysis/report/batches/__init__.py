"""The report of a batch: its cases, their comparison, what drives outcomes."""
