"""The commands of manage.py, and the code that they share."""
