"""Small files for the forms: every run makes the same ones. They are drawn by a fixed generator, since a form is about what a notebook
does and not about what the rows mean."""

import os
import sys

import numpy as np
import pandas as pd


def titanic(r, n=891):
    frame = pd.DataFrame({"PassengerId": range(1, n + 1), "Survived": 0, "Pclass": r.choice([1, 2, 3], n, p=[0.24, 0.21, 0.55])})
    titles = r.choice(["Mr", "Mrs", "Miss", "Master", "Dr"], n, p=[0.5, 0.2, 0.2, 0.08, 0.02])
    frame["Name"] = ["%s, %s. %s" % (r.choice(["Braund", "Allen", "Moran"]), title, r.choice(["Owen", "William", "Laina"])) for title in titles]
    frame["Sex"] = r.choice(["male", "female"], n, p=[0.65, 0.35])
    frame["Age"] = np.where(r.rand(n) < 0.2, np.nan, r.randint(1, 80, n))
    frame["SibSp"], frame["Parch"] = r.choice([0, 1, 2, 3], n, p=[0.6, 0.25, 0.1, 0.05]), r.choice([0, 1, 2], n)
    frame["Ticket"], frame["Fare"] = ["A/5 %d" % v for v in r.randint(1000, 99999, n)], np.round(r.exponential(32, n), 4)
    frame["Cabin"] = np.where(r.rand(n) < 0.77, None, "C85")
    frame["Embarked"] = r.choice(["S", "C", "Q", None], n, p=[0.72, 0.18, 0.09, 0.01])
    frame["Survived"] = ((frame.Sex == "female") * 2 + (frame.Pclass == 1) + r.randn(n) > 1.2).astype(int)
    return frame


def churn(r, n=1200):
    frame = pd.DataFrame({"customerID": ["%04d-AB" % i for i in range(n)], "gender": r.choice(["Male", "Female"], n)})
    frame["SeniorCitizen"], frame["Partner"] = r.choice([0, 1], n), r.choice(["Yes", "No"], n)
    frame["tenure"] = r.randint(0, 72, n)
    frame["InternetService"] = r.choice(["DSL", "Fiber optic", "No"], n)
    frame["Contract"] = r.choice(["Month-to-month", "One year", "Two year"], n)
    frame["MonthlyCharges"] = np.round(r.uniform(18, 118, n), 2)
    frame["TotalCharges"] = [" " if months == 0 else "%.2f" % (months * fee) for months, fee in zip(frame.tenure, frame.MonthlyCharges)]
    leaves = (frame.Contract == "Month-to-month") * 1.5 - frame.tenure / 40 + r.randn(n) > 0.4
    frame["Churn"] = np.where(leaves, "Yes", "No")
    return frame


def house(r, n=1200):
    frame = pd.DataFrame({"Id": range(n), "LotArea": r.randint(1000, 20000, n), "Neighborhood": r.choice(list("ABCDE"), n)})
    frame["Alley"] = r.choice(["NA", "Grvl", "Pave"], n, p=[0.8, 0.1, 0.1])
    frame["LotFrontage"] = np.where(r.rand(n) < 0.18, np.nan, r.randint(20, 120, n))
    frame["Year Built"], frame["Quality"] = r.randint(1900, 2010, n), r.randint(1, 11, n)
    days = pd.to_datetime("2010-01-01") + pd.to_timedelta(r.randint(0, 2000, n), "D")
    frame["Date"] = pd.Series(days).dt.strftime("%Y-%m-%d")
    extra = frame.Neighborhood.map(dict(A=0, B=5000, C=10000, D=20000, E=-5000))
    frame["SalePrice"] = (frame.LotArea * 3 + frame.Quality * 20000 + (frame["Year Built"] - 1900) * 500 + r.randn(n) * 8000 + extra).round()
    return frame


def reviews(r, n=600):
    words = ["good", "bad", "great", "awful", "fine", "movie", "film", "plot", "actor", "boring", "fun", "the", "a", "was", "very"]
    texts = [" ".join(r.choice(words, r.randint(4, 15))) for _ in range(n)]
    count = lambda text, of: sum(text.count(word) for word in of)  # noqa: E731
    labels = ["pos" if count(t, ["good", "great", "fun"]) > count(t, ["bad", "awful", "boring"]) else "neg" for t in texts]
    return pd.DataFrame({"text": texts, "label": labels})


def headerless(r, n=700):
    frame = pd.DataFrame({"a": np.where(r.rand(n) < 0.05, "?", r.randint(1, 11, n).astype(str)), "b": r.randint(1, 11, n), "c": r.randint(1, 11, n)})
    frame["d"] = r.choice(["x", "y", "z"], n)
    frame["e"] = (frame.b + frame.c > 10).astype(int) * 2 + 2
    return frame


def fraud(r, n=1500):
    frame = pd.DataFrame(r.randn(n, 5), columns=["V%d" % i for i in range(1, 6)])
    frame["Amount"] = r.exponential(50, n)
    frame["Class"] = (frame.V1 + frame.V2 + r.randn(n) * 0.5 > 2.4).astype(int)
    return frame


def write(folder):
    r = np.random.RandomState(1)
    path = lambda name: os.path.join(folder, name)  # noqa: E731
    people, homes = titanic(r), house(r)
    people.to_csv(path("titanic.csv"), index=False)
    people.iloc[:600].to_csv(path("train.csv"), index=False)
    people.iloc[600:].drop(columns="Survived").to_csv(path("test.csv"), index=False)
    churn(r).to_csv(path("churn.csv"), index=False)
    homes.to_csv(path("house.csv"), index=False)
    homes.to_csv(path("house_semi.csv"), index=False, sep=";")
    homes.drop(columns=["Id"]).to_csv(path("house_idx.csv"))
    reviews(r).to_csv(path("reviews.csv"), index=False)
    headerless(r).to_csv(path("noheader.data"), index=False, header=False)
    fraud(r).to_csv(path("fraud.csv"), index=False)
    areas = {"Neighborhood": list("ABCDE"), "income": [1.0, 2.0, 3.0, 4.0, 5.0], "crime": [5, 4, 3, 2, 1]}
    pd.DataFrame(areas).to_csv(path("areas.csv"), index=False)


if __name__ == "__main__":
    write(sys.argv[1])
