"""A small honest model of departure delays: least squares, tested on days it has not seen."""

from datetime import date as Date
from datetime import timedelta

import numpy as np
import pandas as pd

TEST_DAYS = 7
SHRINKAGE = 50.0
CATEGORIES = ["origin", "carrier", "hour"]
NOT_FEATURES = ["date", "delay"]


def build(features: pd.DataFrame, date: Date) -> pd.DataFrame:
    """Fit on the days before the last week, predict the flights of the last week."""
    first_test_day = (date - timedelta(days=TEST_DAYS - 1)).isoformat()
    seen = features["date"] < first_test_day
    train, test = features[seen], features[~seen]
    predicted = predict(design(features), seen.to_numpy(), train["delay"].to_numpy())
    return test[["date", *CATEGORIES]].assign(
        actual=test["delay"].astype(float),
        predicted=predicted.round(3),
        naive=round(train["delay"].mean(), 3),
    )


def design(features: pd.DataFrame) -> np.ndarray:
    """One column for each value of a category, and the numbers as they are."""
    categories = pd.get_dummies(features[CATEGORIES].astype(str), dtype=float)
    numbers = features.drop(columns=[*CATEGORIES, *NOT_FEATURES]).astype(float)
    return pd.concat([categories, numbers], axis=1).to_numpy()


def predict(columns: np.ndarray, seen: np.ndarray, delay: np.ndarray) -> np.ndarray:
    """Ridge regression on standardised columns: fit where *seen*, predict elsewhere."""
    train = columns[seen]
    mean, spread = train.mean(axis=0), train.std(axis=0)
    spread[spread == 0] = 1.0
    x = (train - mean) / spread
    weights = np.linalg.solve(
        x.T @ x + SHRINKAGE * np.eye(x.shape[1]), x.T @ (delay - delay.mean())
    )
    return delay.mean() + (columns[~seen] - mean) / spread @ weights
