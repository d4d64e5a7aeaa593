"""Imports REST framework without its optional dependencies.

It would import them if installed: a test client, and PostgreSQL's fields with the driver. A server
needs neither, and they take 17 MB and a sixth of its start.
"""

import os
import sys

# its settings are Django's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batcomputer.settings")

_absent = [name for name in ("requests", "django.contrib.postgres") if name not in sys.modules]
for _name in _absent:
    sys.modules[_name] = None  # type: ignore[assignment] # importing it raises ImportError
import rest_framework.compat  # noqa: E402, F401 - see above

for _name in _absent:
    del sys.modules[_name]
