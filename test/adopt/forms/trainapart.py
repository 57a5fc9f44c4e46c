# %%
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
# %%
df = pd.read_csv('titanic.csv')
X_train, X_test, y_train, y_test = train_test_split(df[['Age', 'Fare']], df.Survived, random_state=0)
X_train = X_train.fillna(X_train.mean())
X_test = X_test.fillna(0)
m = LogisticRegression(max_iter=500).fit(X_train, y_train)
m.score(X_test, y_test)
# target: Survived
# notes: training rows get another answer
