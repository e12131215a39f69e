"""From an executed notebook to a page; all of it runs in the runner."""
