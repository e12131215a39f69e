"""What is known about a departure an hour before its scheduled hour."""

import pandas as pd

CAP = 60
LAG = 3
WINDOW = 3
PRIOR = 10


def build(departures: pd.DataFrame) -> pd.DataFrame:
    """Return one row of features for each flight that left, with its delay in minutes."""
    flights = departures.assign(hour=departures["sched_dep_time"] // 100,
                                delay=departures["dep_delay"].clip(upper=CAP))
    slot = ["date", "origin", "hour"]
    flights["congestion"] = flights.groupby(slot)["carrier"].transform("size")
    flights = flights.join(earlier_delay(flights), on=slot)
    left = flights.dropna(subset=["delay"])
    return left[[*slot, "carrier", "congestion", "earlier_delay", "delay"]]


def earlier_delay(flights: pd.DataFrame) -> pd.Series:
    """Mean delay at the airport in the hours before, as known an hour ahead."""
    hourly = flights.groupby(["date", "origin", "hour"])["delay"].agg(["sum", "count"])
    table = hourly.unstack("hour").reindex(
        columns=pd.MultiIndex.from_product([["sum", "count"], range(24)]), fill_value=0
    )
    total, count = (table[what].fillna(0).T.rolling(WINDOW, min_periods=1).sum().shift(LAG).fillna(0).T for what in ("sum", "count"))
    known = (total / (count + PRIOR)).stack()
    return known.rename_axis(["date", "origin", "hour"]).rename("earlier_delay")
