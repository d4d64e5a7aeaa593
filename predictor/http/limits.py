"""How large a body may be. No Django in it: the gunicorn worker asks before Django does."""

BODY_BYTES = 2 * 2**20
CSV_BYTES = 32 * 2**20  # a CSV file waits on disk, not in memory


def largest_body(content_type: str) -> int:
    """How many bytes a body may have whose Content-Type header is ``content_type``."""
    kind = content_type.partition(";")[0].strip().lower()
    return CSV_BYTES if kind == "text/csv" else BODY_BYTES
