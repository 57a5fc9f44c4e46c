"""Lints for production."""


def collect(document, result):
    return []
