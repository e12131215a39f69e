"""What belongs to the application that answers this request."""

from flask import current_app

from app.settings import Settings
from app.work.doorbell import Doorbell
from pipeline.installation import Installation

INSTALLATION = "provenote"
DOORBELL = "provenote.doorbell"
SETTINGS = "provenote.settings"


def installation() -> Installation:
    """Return the installation that the application serves."""
    found: Installation = current_app.extensions[INSTALLATION]
    return found


def doorbell() -> Doorbell:
    """Return the bell that tells workers of new work."""
    found: Doorbell = current_app.extensions[DOORBELL]
    return found


def settings() -> Settings:
    """Return the application's settings."""
    found: Settings = current_app.extensions[SETTINGS]
    return found


def actor() -> str:
    """Return who makes this request, by name."""
    return "local"
