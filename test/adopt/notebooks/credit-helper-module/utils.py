import numpy as np
import pandas as pd

CATS = ['Home', 'Marital', 'Records', 'Job']


def load(path='data/credit_data.csv'):
    """Reads the credit file and drops the row without status."""
    df = pd.read_csv(path)
    return df[df['Status'].notnull()]


def clean(df):
    df = df.copy()
    for c in CATS:
        df[c] = df[c].fillna('unk')
    df['Income'] = df['Income'].fillna(0)
    df[['Assets', 'Debt']] = df[['Assets', 'Debt']].fillna(0)
    return df


def add_features(df):
    df['finrat'] = 100 * df['Amount'] / df['Price']
    df['log_income'] = np.log1p(df['Income'])
    return df
