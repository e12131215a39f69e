"""The ledger: the database that remembers every request, run and result."""
