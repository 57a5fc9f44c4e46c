# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import GaussianNB
df = pd.read_csv('reviews.csv')
corpus = []
for i in range(0, 600):
    review = df['text'][i]
    review = review.lower().split()
    review = ' '.join(review)
    corpus.append(review)
cv = CountVectorizer(max_features=10)
X = cv.fit_transform(corpus).toarray()
y = df.iloc[:, 1].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.2, random_state=0)
classifier = GaussianNB()
classifier.fit(X_train, y_train)
y_pred = classifier.predict(X_test)
# target: label
