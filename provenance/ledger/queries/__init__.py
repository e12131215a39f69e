"""What pages and commands ask of the ledger: one file per page or concept."""
