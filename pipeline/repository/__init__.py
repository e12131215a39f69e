"""Projects as git repositories: fetched, looked into, and laid out."""
