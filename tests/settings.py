"""The project's settings for tests: independent of this machine, and fast."""

import os
import tempfile

# With models of a few hundred rows, numpy's threads only wait for one another.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["SECRET_KEY"] = "tests only: no deployment may ever use this one"
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "sqlite:///:memory:")
os.environ["SPOOL_DIR"] = tempfile.mkdtemp(prefix="batcomputer-spool-")
os.environ["MODELS_DIR"] = tempfile.mkdtemp(prefix="batcomputer-no-models-")
os.environ["HTTPS"] = os.environ["API_KEY_REQUIRED"] = "false"
for key in (
    "TRUSTED_PROXIES",
    "DEBUG",
    "MODELS",
    "DEFAULT_MODEL",
    "MODEL_VERSION",
    "PREDICTION_LOG",
):
    os.environ.pop(key, None)

from batcomputer.settings import *  # noqa: E402, F403
from batcomputer.settings import MIDDLEWARE, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Hashed names need collectstatic; the tests use the original files.
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]
ACTIVATION_POLL = 0  # no background thread: tests call serving().refresh() themselves
AXES_ENABLED = False  # client.login has no request to count; test_login_lock turns it on
