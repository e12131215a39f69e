from tests.app.intake.world import (  # noqa: F401
    app,
    bell,
    client,
    installation,
    project,
    repository,
    secret,
)
