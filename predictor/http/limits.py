"""The largest size of a body. No Django here: the gunicorn worker checks before Django."""

BODY_BYTES = 2 * 2**20
CSV_BYTES = 32 * 2**20  # a CSV file is buffered on disk, not in memory


def largest_body(content_type: str) -> int:
    """The most bytes of a body with this Content-Type header."""
    kind = content_type.partition(";")[0].strip().lower()
    return CSV_BYTES if kind == "text/csv" else BODY_BYTES
