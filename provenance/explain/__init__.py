"""Why a result is what it is, and why two results are not the same."""
