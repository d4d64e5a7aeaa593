"""The parameters of a notebook: as written in it, unless a Databricks job sets them."""

from typing import Any


def job_parameters(dbutils: Any, **defaults: Any) -> dict[str, Any]:
    """The notebook's ``defaults``, or on Databricks (by its ``dbutils``) the job's values.

    A parameter keeps the type of its default; raises ValueError when the job's text does not fit.
    """
    return {name: _from_job(dbutils, name, default) for name, default in defaults.items()}


def _from_job(dbutils: Any, name: str, default: Any) -> Any:
    if dbutils is None:
        return default
    dbutils.widgets.text(name, str(default))
    text = dbutils.widgets.get(name)
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(f"the parameter {name} must be true or false, not {text!r}")
        return text.lower() == "true"
    return type(default)(text)
