"""Options that several commands share, without anything that takes time to import."""

import click

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on standard output."
)
param_option = click.option(
    "-p", "--param", "given", multiple=True, metavar="NAME=VALUE", help="Set a parameter."
)
commit_option = click.option(
    "--commit", "revision", metavar="REV", help="Use this commit instead of the working tree."
)
as_of_option = click.option(
    "--as-of", metavar="INSTANT", help="Read the data that was current then, not the present."
)
