"""The contract of a model version, and everything that can be done with one without Django.

A version is a folder: ``model.pkl`` (the estimator), ``lookup.pkl`` (its inputs in human words),
``flags.pkl`` (its outputs) and optionally ``metadata.json`` (titles, units, examples and more).
Notebooks, Spark executors and tests can import this package.
"""
