"""Logs of the long-running commands: one line an event, on standard error."""

import logging
import sys

import structlog


def configure_logs(level: int = logging.INFO) -> None:
    """Send all logs of *level* and above to standard error, with the time in UTC."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    # Kombu warns that the folder that serves as broker has no host name.
    logging.getLogger("kombu.connection").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
