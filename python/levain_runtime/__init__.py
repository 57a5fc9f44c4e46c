"""Levain inside a Python environment: the model worker, golden predictions, inspection of a finished notebook kernel.

Standard library only, Python 3.7 or later; numpy and pandas are used where the environment has them. It is not installed: it
reaches an environment by PYTHONPATH.
"""
