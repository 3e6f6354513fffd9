"""Commands that read results: decide, export, report."""
