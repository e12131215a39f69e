"""Put your own data here: read a file, call an API, or use an SQL stage instead."""

import numpy as np
import pandas as pd


def build(days: int) -> pd.DataFrame:
    """Return one row a day: made-up visits with a weekly rhythm and a slow rise."""
    rng = np.random.default_rng(seed=7)
    day = np.arange(days)
    expected = 200 + 0.3 * day + 40 * np.sin(2 * np.pi * day / 7)
    return pd.DataFrame(
        {
            "date": pd.date_range("2026-01-01", periods=days),
            "visits": rng.poisson(expected),
        }
    )
