"""Batches and ensembles: computing, resuming and forking many runs."""
