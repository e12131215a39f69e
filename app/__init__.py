"""Top floor: people and machines talk to it. Web, CLI, hooks, workers."""
