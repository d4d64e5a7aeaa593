"""From open data to the three pickles: aggregate, fit, evaluate, export. No Django in it."""
