# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('titanic.csv')
def impute_age(cols):
    Age = cols['Age']
    Pclass = cols['Pclass']
    if pd.isnull(Age):
        if Pclass == 1:
            return 37
        elif Pclass == 2:
            return 29
        else:
            return 24
    else:
        return Age
df['Age'] = df[['Age', 'Pclass']].apply(impute_age, axis=1)
df['Title'] = df['Name'].str.split(', ', expand=True)[1].str.split('.', expand=True)[0]
counts = df['Title'].value_counts()
rare = counts[counts < 100].index
df['Title'] = df['Title'].replace(rare, 'Rare')
df['Title'] = df['Title'].apply(lambda t: 'Rare' if t in rare else t)
df['Fare'] = df['Fare'].fillna(df.groupby('Pclass')['Fare'].transform('median'))
df['FareBand'] = pd.qcut(df['Fare'], 4)
df.loc[df['Fare'] <= 10, 'Fare'] = 0
df['Emb'] = df['Embarked'].fillna(df['Embarked'].value_counts().idxmax())
df['Emb'] = LabelEncoder().fit_transform(df['Emb'])
df['TitleCode'] = df['Title'].astype('category').cat.codes
df['Cabin'] = df['Cabin'].fillna('U').str[0]
df['Deck'] = df['Cabin'].map({c: i for i, c in enumerate(sorted(df['Cabin'].unique()))})
df['FB'] = df['FareBand'].cat.codes
X = df[['Age', 'TitleCode', 'Fare', 'Emb', 'Deck', 'FB', 'Pclass']]
y = df['Survived']
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.2, random_state=0)
knn = RandomForestClassifier(n_estimators=10, random_state=0)
knn.fit(X_train, y_train)
Y = knn.predict(X_test)
# target: Survived
