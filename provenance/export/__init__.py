"""How a run came to be, in the forms that other tools read."""
