"""What a file cannot be scored for."""


class BulkError(Exception):
    """The file cannot be scored, or not go on; the message says why."""


def needs_pyarrow() -> BulkError:
    """Parquet files are read and written by pyarrow alone."""
    return BulkError("Parquet needs pyarrow: pip install pyarrow")
