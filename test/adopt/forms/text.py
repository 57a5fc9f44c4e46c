# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
import re
from sklearn.feature_extraction.text import TfidfVectorizer, CountVectorizer
from sklearn.naive_bayes import MultinomialNB
df = pd.read_csv('reviews.csv')
def clean_text(t):
    t = t.lower()
    t = re.sub(r'[^a-z ]', '', t)
    return ' '.join(w for w in t.split() if w not in ('the', 'a'))
df['clean'] = df['text'].apply(clean_text)
y = df['label'].map({'pos': 1, 'neg': 0})
X_train, X_test, y_train, y_test = train_test_split(df['clean'], y, random_state=0)
vec = TfidfVectorizer()
X_train_v = vec.fit_transform(X_train)
X_test_v = vec.transform(X_test)
nb = MultinomialNB()
nb.fit(X_train_v, y_train)
print(accuracy_score(y_test, nb.predict(X_test_v)))
# target: label
