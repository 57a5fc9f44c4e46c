# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression
# %%
df = pd.read_csv('titanic.csv')
m = df['Pclass'].value_counts().to_dict()
m.pop(3)
cols = list(df.select_dtypes(include=np.number).columns)
cols.remove('Survived')
cols.remove('PassengerId')
df['pc'] = df['Pclass'].map(m).fillna(0)
means = df[cols].mean()
means['Age'] = 30
df[cols] = df[cols].fillna(means)
mi, ma = df['Fare'].agg(['min', 'max'])
df['Fare'] = (df['Fare'] - mi) / (ma - mi)
df['Sex'] = df['Sex'].astype('category').cat.rename_categories({'male': 0, 'female': 1}).astype(int)
df['AgeBin'] = pd.cut(df['Age'], bins=np.linspace(df['Age'].min() - 1, df['Age'].max() + 1, 5), labels=range(4)).astype(int)
top = df['Embarked'].value_counts().nlargest(2).index
df['E'] = np.where(df['Embarked'].isin(top), df['Embarked'], 'other')
E = pd.get_dummies(df.E)
df[E.columns] = E
df = df.drop(columns=['Embarked', 'E', 'Name', 'Ticket', 'Cabin', 'PassengerId'])
def iqr(d, c):
    q1, q3 = np.percentile(d[c], [25, 75])
    lo, hi = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    d = d[(d[c] >= lo) & (d[c] <= hi)]
    return d
df = iqr(df, 'Fare')
X, y = df.loc[:, df.columns != 'Survived'], df.Survived
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.2, random_state=3)
clf = LogisticRegression(max_iter=1000)
clf.fit(X_train, y_train)
y_pred = clf.predict(X_test)
print((y_pred == y_test).mean())
# target: Survived
