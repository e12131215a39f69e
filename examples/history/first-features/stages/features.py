"""What is known about a departure from its place in the schedule."""

import pandas as pd

CAP = 60


def build(departures: pd.DataFrame) -> pd.DataFrame:
    """Return one row of features for each flight that left, with its delay in minutes."""
    flights = departures.assign(hour=departures["sched_dep_time"] // 100,
                                delay=departures["dep_delay"].clip(upper=CAP))
    left = flights.dropna(subset=["delay"])
    return left[["date", "origin", "hour", "carrier", "delay"]]
