"""What is asked: scenarios, ensembles, batches and their results."""
