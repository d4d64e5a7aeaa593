"""Processes of their own, shut in, for what runs a stranger's estimator. No Django here.

::

    owner ──life-line──> supervisor ──exec──> template (numpy and scikit-learn, runs nothing)
      │ worker ─┐            │                   │ fork
      │ worker ─┴─socket─────┴──────────> one scorer a version
"""
