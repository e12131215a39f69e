"""The command line: one file a command group, each imported when it is called."""

import importlib
import sys

import click

_COMMANDS = {
    "config": "app.cli.config",
    "db": "app.cli.db",
    "demo": "app.cli.demo",
    "init": "app.cli.init",
    "plan": "app.cli.plan",
    "projects": "app.cli.projects",
    "run": "app.cli.run",
    "serve": "app.cli.serve",
    "show": "app.cli.show",
    "web": "app.cli.web",
    "worker": "app.cli.worker",
}
_HELP = {
    "config": "Print every setting, its value and what it means.",
    "db": "Look after the ledger's database.",
    "demo": "Lay out the demo project and queue its history for evaluation.",
    "init": "Make a provenote project in this git repository.",
    "plan": "Show what a run would execute, and why.",
    "projects": "Add and list the projects that this installation serves.",
    "run": "Run reports of this working tree, or of a commit.",
    "serve": "Serve everything on this machine: web pages and a worker.",
    "show": "Show a run: how it ended and how it came to be.",
    "web": "Serve the web pages only.",
    "worker": "Execute what is queued, only.",
}


class _Lazy(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name])
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        import difflib

        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, _COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {name!r}.{hint}")
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
