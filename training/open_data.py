"""The bundled open data: next to the code in a clone, inside this package in a wheel."""

from pathlib import Path

_HERE = Path(__file__).parent
DATA = _HERE / "data" if (_HERE / "data").is_dir() else _HERE.parent / "data"
