"""``provenote data``."""

import click

from app.cli import data_read, data_write

COMMANDS = (
    data_read.ls,
    data_read.show,
    data_read.log,
    data_read.export,
    data_read.path,
    data_write.import_file,
    data_write.publish_batch,
    data_write.roll_back,
    data_write.retire_partition,
    data_write.pin_batch,
    data_write.unpin_batch,
    data_write.take_snapshot,
)


@click.group()
def command() -> None:
    """Datasets: look at them, data in and out, what is current."""


for _each in COMMANDS:
    command.add_command(_each)
