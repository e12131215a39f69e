"""How a request comes in: one door, and the ways that lead to it."""
