"""The web application: made by one call, from settings alone."""

from flask import Flask
from flask_wtf import CSRFProtect

from app.assemble import assemble
from app.current import DOORBELL, INSTALLATION, SETTINGS
from app.secret_key import secret_key
from app.settings import Settings
from app.work.doorbell import Doorbell, SilentDoorbell


def create_app(settings: Settings, doorbell: Doorbell | None = None) -> Flask:
    """Return the application that serves the installation of *settings*.

    *doorbell* tells workers of new work; without one they find it when they next look.
    Nothing is connected or read before the first request.
    """
    app = Flask("app.web")
    app.secret_key = secret_key(settings)
    app.extensions[SETTINGS] = settings
    app.extensions[INSTALLATION] = assemble(settings)
    app.extensions[DOORBELL] = doorbell or SilentDoorbell()
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    _install(app)
    return app


def _install(app: Flask) -> None:
    from app.api import v1
    from app.archive import routes
    from app.intake import about, form, hooks
    from app.sharing import buttons
    from app.sharing import pages as shared
    from app.web import filters, guard, headers, health, pages

    CSRFProtect(app)
    filters.install(app)
    pages.install(app)
    headers.install(app)
    guard.install(app)
    app.register_blueprint(health.blueprint)
    routes.register(app)
    app.register_blueprint(hooks.blueprint)
    app.register_blueprint(form.blueprint)
    app.register_blueprint(about.blueprint)
    app.register_blueprint(buttons.blueprint)
    app.register_blueprint(shared.blueprint)
    v1.register(app)
