"""The kinds of stage: what each takes, and how it is run."""
