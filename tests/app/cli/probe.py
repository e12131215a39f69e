"""A command that ends as it is told to, for tests of the exit status."""

import click


@click.command()
@click.option("--status", type=int)
@click.option("--raise", "raised", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
def command(status: int | None, raised: bool, as_json: bool) -> None:
    """End with STATUS, or with an exception that nobody foresaw."""
    if raised:
        raise RuntimeError("unforeseen")
    if status is not None:
        raise click.exceptions.Exit(status)
