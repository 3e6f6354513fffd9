"""What chips do with models: time per step, throughput, energy, frontiers."""
