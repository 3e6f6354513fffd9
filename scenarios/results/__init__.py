"""Results on disk: the store of a batch, where results come from, queries."""
