"""How work gets done: the doorbell, the workers and the reconciler."""
