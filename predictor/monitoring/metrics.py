"""The Prometheus metrics; predictor.http.exposition shows them.

Every label's values are bounded: routes, models, versions, flags and fields are the server's own
names, never a caller's text. Under gunicorn all workers count into files in one folder
(PROMETHEUS_MULTIPROC_DIR, see gunicorn.conf.py), so any of them can show the sum, which is at most
a second old (``held``).
"""

from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram, values

from predictor.monitoring.count_files import CountFile
from predictor.monitoring.held import HeldValue

# before the first metric is made
values.ValueClass = HeldValue
values.MmapedDict = CountFile  # type: ignore[assignment,attr-defined] # alike

REQUESTS = Counter("batcomputer_http_requests", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "batcomputer_http_request_seconds",
    "From the parsed head of a request to its answer",
    ["route"],
    buckets=(0.0025, 0.01, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
PREDICTION_SECONDS = Histogram(
    "batcomputer_prediction_seconds",
    "From parsed request to recorded answer, per request of one or more items",
    ["model"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
PREDICTIONS = Counter("batcomputer_predictions", "Items answered", ["model", "version", "flag"])
REFUSED_FIELDS = Counter(
    "batcomputer_refused_fields", "Fields of requests that did not fit", ["model", "field", "kind"]
)
SCORING_FAILURES = Counter(
    "batcomputer_scoring_failures", "Calls of a model that failed or were overdue", ["kind"]
)
ABSTENTIONS = Counter(
    "batcomputer_abstentions", "Requests with values that a model has no answer for"
)
SPOOLED_ROWS = Counter("batcomputer_log_spooled_rows", "Rows of the log that went to the spool")
REPLAYED_ROWS = Counter(
    "batcomputer_log_replayed_rows", "Rows written from the spool to the database"
)
UNRECORDED_ROWS = Counter(
    "batcomputer_log_unrecorded_rows", "Rows neither the database nor the spool took"
)
BATCH_ROWS = Histogram(
    "batcomputer_log_batch_rows",
    "Rows committed together: what was waiting at the moment",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 5000),
)
DATABASE_REACHED = Gauge(
    "batcomputer_log_database_reached_timestamp_seconds",
    "When the log last wrote to the database, or tried to with success",
    multiprocess_mode="max",
)
QUEUE_ROWS = Gauge(
    "batcomputer_log_queue_rows", "Rows being written or waiting", multiprocess_mode="livesum"
)


@lru_cache(maxsize=4096)
def predictions(model: str, version: str, flag: str) -> Counter:
    """The counter of one flag; cached, because the lookup costs as much as the count."""
    return PREDICTIONS.labels(model, version, flag)


@lru_cache(maxsize=256)
def seconds(model: str) -> Histogram:
    """The histogram of one model."""
    return PREDICTION_SECONDS.labels(model)


@lru_cache(maxsize=256)
def request_seconds(route: str) -> Histogram:
    """The histogram of one route."""
    return REQUEST_SECONDS.labels(route)


@lru_cache(maxsize=1024)
def requests(method: str, route: str, status: int) -> Counter:
    """The counter of one route, method and status."""
    return REQUESTS.labels(method, route, str(status))
