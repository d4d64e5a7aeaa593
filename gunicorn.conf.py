"""gunicorn reads this file from the folder in which it starts; the package has the settings."""

from batcomputer.gunicorn_conf import *  # noqa: F403
