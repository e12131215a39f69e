"""Ground floor: what is known. Identity, records, store, cache, ledger."""
