"""Policies compared, and published results of policy studies beside the model's."""
