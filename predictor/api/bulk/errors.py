"""The errors of scoring a file."""


class BulkError(Exception):
    """The file cannot be scored, or scoring cannot resume; the message says why."""


def needs_pyarrow() -> BulkError:
    """The error for a Parquet file without pyarrow."""
    return BulkError("Parquet needs pyarrow: pip install pyarrow")
