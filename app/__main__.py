"""``python -m app``: the command line, for processes of ours that start one another."""

from app.cli import main

main()
