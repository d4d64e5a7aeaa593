"""Confined processes that run untrusted estimators. No Django here.

::

    owner ──life-line──> supervisor ──exec──> template (numpy and scikit-learn, runs nothing)
      │ worker ─┐            │                   │ fork
      │ worker ─┴─socket─────┴──────────> one scorer a version
"""
