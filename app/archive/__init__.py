"""How reports are looked at: the pages of the archive."""
