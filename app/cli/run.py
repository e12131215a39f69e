"""``provenote run``: what it takes; what it does begins before that is imported."""

from typing import Any

import click

from app.cli.options import as_of_option, commit_option, json_option, param_option


@click.command()
@click.argument("report", required=False)
@param_option
@commit_option
@click.option("--force", is_flag=True, help="Execute everything, even what has not changed.")
@as_of_option
@click.option("--publish", is_flag=True, help="Publish data, whatever the branch.")
@json_option
def command(report: str | None, given: tuple[str, ...], **asked: Any) -> None:
    """Run REPORT (left out: all reports) of this working tree, or of a commit.

    Without -p every case that provenote.toml lists is run. What is made is kept in
    PROVENOTE_HOME; the page is also put into .provenote/reports/.
    """
    if given and report is None:
        raise click.UsageError("-p needs a REPORT to set a parameter of.")
    from app.cli.ahead import started_ahead

    with started_ahead() as ahead:
        from app.cli.running import run_reports

        run_reports(ahead, report, given, **asked)
