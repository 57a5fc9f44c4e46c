"""Raw flights (date, distance, origin, destination) to what the model wants."""

import pandas as pd


def features(df):
    date = pd.to_datetime(df["date"])
    return pd.DataFrame(
        {
            "hour": date.dt.hour.astype("float64"),
            "weekday": date.dt.weekday.astype("float64"),
            "distance": df["distance"].astype("float64"),
            "origin": df["origin"],
            "destination": df["destination"],
        },
        index=df.index,
    )
