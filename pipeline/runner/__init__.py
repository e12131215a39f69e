"""The runner: a process of ours, one a worker slot, that executes and renders.

It has papermill and nbconvert imported once, supervises what it starts, and may be killed at
any time: whoever called it holds the claim, and all that it made lies in the workplace.
"""
