"""gunicorn reads this file by itself where it is started; the settings are the package's own."""

from batcomputer.gunicorn_conf import *  # noqa: F403
