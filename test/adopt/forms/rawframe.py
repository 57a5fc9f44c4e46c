# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from sklearn.pipeline import make_pipeline
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
df = pd.read_csv('titanic.csv')
X = df[['Sex', 'Age', 'Fare', 'Pclass']]
y = df.Survived
pre = make_column_transformer((OneHotEncoder(handle_unknown='ignore'), ['Sex']), (SimpleImputer(), ['Age', 'Fare']), remainder='passthrough')
pipe = make_pipeline(pre, LogisticRegression(max_iter=500))
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
pipe.fit(X_train, y_train)
pipe.predict(X_test)
# target: Survived
