"""The dialects of hooks, one forge a file."""
