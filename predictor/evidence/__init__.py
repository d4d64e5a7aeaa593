"""Is a model good enough? Cases with known outcomes, rules in a file, and a verdict.

Plain arithmetic without Django and numpy, so that training programs and the server judge by the
same code.
"""
