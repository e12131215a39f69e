"""The command line: one file a command group, each imported when it is called."""

import gc as collector  # app.cli.gc is a command, and would take the name
import importlib
import sys
from typing import Any

import click

from app.cli.inside_r import leave_libraries_of_r

_COMMANDS = {
    "cancel": "app.cli.cancel",
    "compare": "app.cli.compare",
    "config": "app.cli.config",
    "data": "app.cli.data",
    "db": "app.cli.db",
    "delete": "app.cli.delete",
    "demo": "app.cli.demo",
    "environments": "app.cli.environments",
    "export": "app.cli.export",
    "gc": "app.cli.gc",
    "explain": "app.cli.explain",
    "init": "app.cli.init",
    "ledger": "app.cli.ledger",
    "models": "app.cli.models",
    "note": "app.cli.note",
    "plan": "app.cli.plan",
    "projects": "app.cli.projects",
    "reproduce": "app.cli.reproduce",
    "restore": "app.cli.restore",
    "run": "app.cli.run",
    "serve": "app.cli.serve",
    "share": "app.cli.share",
    "show": "app.cli.show",
    "storage": "app.cli.storage",
    "verify": "app.cli.verify",
    "used-by": "app.cli.used_by",
    "web": "app.cli.web",
    "whatif": "app.cli.whatif",
    "worker": "app.cli.worker",
}
_HELP = {
    "cancel": "Cancel a run, or all runs of an evaluation.",
    "compare": "Compare two runs: causes, metrics, cells; also as a file.",
    "config": "Print every setting, its value and what it means.",
    "data": "Datasets: look at them, data in and out, what is current.",
    "db": "Look after the ledger's database.",
    "delete": "Put runs into the bin; it can be undone.",
    "demo": "Lay out the demo project and queue its history for evaluation.",
    "environments": "Environments: what is in them, how they were built.",
    "export": "Export how a run came to be, or its report as HTML or PDF.",
    "gc": "Show what can be cleared away, or clear it away.",
    "explain": "Tell how a run came to be; of two, why they differ.",
    "init": "Make a provenote project in this git repository.",
    "ledger": "Ask the ledger about itself, in SQL.",
    "models": "Models: look at versions, save, promote, roll back, download.",
    "note": "Tags, comments and pins of a run.",
    "plan": "Show what a run would execute, and why.",
    "projects": "Add and list the projects that this installation serves.",
    "reproduce": "Make a run again, and say whether it comes out the same.",
    "restore": "Bring back runs that were deleted.",
    "run": "Run reports of this working tree, or of a commit.",
    "serve": "Serve everything on this machine: web pages and a worker.",
    "share": "Make a link that opens one report until it ends.",
    "show": "Show a run: how it ended and how it came to be.",
    "storage": "Show what reports take, and how long their pages are kept.",
    "verify": "Check the whole archive, or what was taken from one.",
    "used-by": "Show which reports stand on a file, a batch, a package.",
    "web": "Serve the web pages only.",
    "whatif": "Run with one thing swapped, and say what moved.",
    "worker": "Execute what is queued, only.",
}


def _imported(name: str) -> Any:
    """Import a module without looking for garbage meanwhile: there is none, and it takes time."""
    collector.disable()
    try:
        return importlib.import_module(name)
    finally:
        collector.freeze()
        collector.enable()


class _Lazy(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = _imported(_COMMANDS[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            from provenance.nearest import did_you_mean

            ctx.fail(f"There is no command {name!r}. {did_you_mean(name, _COMMANDS)}".rstrip())
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_HELP.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="provenote")
def cli() -> None:
    """Notebooks become HTML reports that say exactly how they came to be.

    Exit status: 0 passed, 1 a check failed, 2 wrong usage or manifest, 3 an error while running.
    """


def main() -> None:
    """Run the command line; errors become a message and an exit status."""
    leave_libraries_of_r()
    try:
        # Outside its standalone mode click returns the status of an Exit instead of raising it.
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        from app.cli.output import report_usage

        sys.exit(report_usage(error, as_json="--json" in sys.argv))
    except Exception as error:
        from app.cli.output import report_error

        sys.exit(report_error(error, as_json="--json" in sys.argv))
