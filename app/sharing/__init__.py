"""Links that open one report to whoever has them, and nothing else of the archive."""
