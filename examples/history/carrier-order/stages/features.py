"""What is known about a departure an hour before its scheduled hour."""

import pandas as pd

CAP = 60  # minutes; later than an hour is late, by how much is another question
LAG = 3  # hours; with the cap, every delay of three hours ago is known an hour ahead
WINDOW = 3  # hours that count as recent
PRIOR = 10  # flights on time, added so that a single late one does not count for much


def build(departures: pd.DataFrame) -> pd.DataFrame:
    """Return one row of features for each flight that left, with its delay in minutes."""
    flights = departures.assign(
        hour=departures["sched_dep_time"] // 100,
        delay=departures["dep_delay"].clip(upper=CAP),
    )
    slot = ["date", "origin", "hour"]
    by_carrier = flights.sort_values(["carrier", *slot], kind="stable")
    hours = pd.MultiIndex.from_frame(by_carrier[slot])
    flights["congestion"] = by_carrier.groupby(slot)["carrier"].transform("size").to_numpy()
    flights["earlier_delay"] = earlier_delay(flights).reindex(hours).to_numpy()
    left = flights.dropna(subset=["delay"])
    return left[[*slot, "carrier", "congestion", "earlier_delay", "delay"]]


def earlier_delay(flights: pd.DataFrame) -> pd.Series:
    """Mean delay at the airport in the hours before, as known an hour ahead."""
    hourly = flights.groupby(["date", "origin", "hour"])["delay"].agg(["sum", "count"])
    table = hourly.unstack("hour").reindex(
        columns=pd.MultiIndex.from_product([["sum", "count"], range(24)]), fill_value=0
    )
    total, count = (
        table[what].fillna(0).T.rolling(WINDOW, min_periods=1).sum().shift(LAG).fillna(0).T
        for what in ("sum", "count")
    )
    known = (total / (count + PRIOR)).stack()
    return known.rename_axis(["date", "origin", "hour"]).rename("earlier_delay")
