# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from sklearn.preprocessing import OrdinalEncoder, PolynomialFeatures
from sklearn.impute import SimpleImputer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif
df = pd.read_csv('titanic.csv')
y = df['Survived']
num = ['Age', 'Fare', 'SibSp', 'Parch']
cat = ['Sex', 'Embarked', 'Pclass']
imp = SimpleImputer(strategy='median')
df[num] = imp.fit_transform(df[num])
df['Embarked'] = SimpleImputer(strategy='most_frequent').fit_transform(df[['Embarked']]).ravel()
ohe = OneHotEncoder(handle_unknown='ignore')
enc = pd.DataFrame(ohe.fit_transform(df[cat]).toarray(), columns=ohe.get_feature_names_out(cat) if hasattr(ohe, 'get_feature_names_out') else ohe.get_feature_names(cat), index=df.index)
poly = PolynomialFeatures(2, include_bias=False)
P = pd.DataFrame(poly.fit_transform(df[num]), index=df.index).add_prefix('p')
X = pd.concat([enc, P], axis=1)
sel = SelectKBest(f_classif, k=8).fit(X, y)
X = X[X.columns[sel.get_support()]]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
sc = StandardScaler().fit(X_train)
pca = PCA(n_components=4)
A = pca.fit_transform(sc.transform(X_train))
clf = LogisticRegression().fit(A, y_train)
clf.score(pca.transform(sc.transform(X_test)), y_test)
# target: Survived
