"""The report of a result: one page that explains itself, its figures, and the data beside each."""
