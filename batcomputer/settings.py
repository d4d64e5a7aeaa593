"""Every setting of the project, read from the environment or ``.env``.

``.env.sample`` lists them all with their meaning. A missing or wrong value stops the process
with the key's name in the message.
"""

from datetime import timedelta
from urllib.parse import quote

from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured

from batcomputer import __version__
from batcomputer.base_path import base_path
from batcomputer.home import CODE, KEY_FILE, home
from batcomputer.setting_reader import Settings
from predictor.http.limits import BODY_BYTES
from predictor.log.ages import age
from predictor.monitoring import log_lines

BASE_DIR = home()
env = Settings(
    least={
        "CSV_MAX_ROWS": 1,
        "DATABASE_CONNECTIONS": 2,
        "MODEL_MAX_MB": 1,
        "MODEL_MAX_MEMORY_MB": 1,
        "MODEL_MAX_SECONDS": 1,
        "PAGE_CSV_MAX_ROWS": 1,
        "SCORERS": 1,
        "WEB_CONCURRENCY": 1,
    }
)
env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
env.int("WEB_CONCURRENCY", default=2)  # gunicorn reads it, and does not name it in its error

# A local server keeps its own secret in a file that git ignores (batcomputer serve creates it). A
# deployment sets SECRET_KEY, which also turns on everything that needs HTTPS.
_KEY_FILE = BASE_DIR / KEY_FILE
LOCAL = "SECRET_KEY" not in env.ENVIRON
if LOCAL and not _KEY_FILE.exists():
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Set it in the environment or in .env; "
        f"a local server's is made by scripts/run or batcomputer serve and kept in {_KEY_FILE}"
    )
SECRET_KEY = _KEY_FILE.read_text().strip() if LOCAL else env.str("SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY is shorter than 32 characters")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "predictor.apps.PredictorConfig",  # first: its templates replace Django admin's
    "predictor.apps.BatcomputerAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework_api_key",
    "axes",
    "predictor.keys",
    "batclient",
]

# Predictions pass only a part of it: predictor/http/short_way.py.
MIDDLEWARE = [
    "predictor.http.request_log.request_log",
    "predictor.http.middleware.page_headers",
    "predictor.http.middleware.problems_for_programs",
    "predictor.http.probes.probes",
    "predictor.http.middleware.trusted_proxies",
    "predictor.http.middleware.body_limit",
    "predictor.http.middleware.https_pages",
    "predictor.keys.middleware.admit_callers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "batclient.language.PageLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "batclient.access.PagesFor",
    "batclient.refusals.Refusals",
]

ROOT_URLCONF = "batcomputer.urls"
WSGI_APPLICATION = "batcomputer.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------

# quoted: a folder's name may have characters with a meaning in a URL
_SQLITE = f"sqlite:///{quote(str(BASE_DIR / 'batcomputer.sqlite3'))}"
DATABASES = {"default": env.db_url("DATABASE_URL", default=_SQLITE)}
# Every client's connection has its own greenlet: if each kept a database connection until the
# client leaves, 100 idle clients would use up PostgreSQL's 100 connections.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# To PostgreSQL, in each worker, in addition to the log writer's; the poll for activations uses one.
DATABASE_CONNECTIONS = env.int("DATABASE_CONNECTIONS", default=4)
# PostgreSQL's password is in DATABASE_URL, or is a token that Azure gives to the machine's
# identity.
DATABASE_PASSWORD_FROM = env.str("DATABASE_PASSWORD_FROM", default="url")
if DATABASE_PASSWORD_FROM not in ("url", "azure"):
    raise ImproperlyConfigured(
        f"DATABASE_PASSWORD_FROM is {DATABASE_PASSWORD_FROM!r}; it must be url or azure"
    )
if DATABASE_PASSWORD_FROM == "azure" and (  # noqa: S105 - its source
    DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql"
    or DATABASES["default"]["PASSWORD"]
):
    raise ImproperlyConfigured(
        "DATABASE_PASSWORD_FROM=azure needs a DATABASE_URL of PostgreSQL without a password"
    )
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["ENGINE"] = "batcomputer.database"
    # a pooler in transaction mode gives the connection to another client between two fetches
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # WAL lets readers and the log's writer work at the same time; with FULL a committed row
        # survives a power cut, as promised for every answered prediction.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
    }
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
if CACHES["default"]["BACKEND"] == "django.core.cache.backends.redis.RedisCache":
    # the server can do without the cache: one that does not answer must not delay a request
    CACHES["default"]["OPTIONS"] = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
else:
    CACHES["default"]["OPTIONS"] = {"MAX_ENTRIES": 100_000}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Models and their log -------------------------------------------------------------------

MODELS_DIR = env.path("MODELS_DIR", default=str(BASE_DIR / "models"))
MODELS = env.list("MODELS", default=[])  # names to serve; empty: all in MODELS_DIR
DEFAULT_MODEL = env.str("DEFAULT_MODEL", default="crime")
# Pins versions over activations: "1.0.0" (the default model's) or "crime=1.0.0,titanic=2.0"
MODEL_VERSION = env.str("MODEL_VERSION", default="")
# Activated by manage.py migrate for models without an activation; in the same format
INITIAL_VERSION = env.str("INITIAL_VERSION", default="")
MODEL_PUBLIC_KEY = env.str("MODEL_PUBLIC_KEY", default="")  # set: only signed versions are served
# activating a version without a passed verdict is refused, not only warned of
REQUIRE_VERDICT = env.bool("REQUIRE_VERDICT", default=False)
# When outcomes prove a version worse (manage.py watch_models), its trial ends or the version
# before it answers again; otherwise people are only alerted
AUTO_ROLLBACK = env.bool("AUTO_ROLLBACK", default=False)
# Where to request a retraining when evidence is against a model: a webhook, whose bodies are
# signed with the secret, or a Databricks job, whose token is the secret
RETRAIN_WEBHOOK = env.str("RETRAIN_WEBHOOK", default="")
if RETRAIN_WEBHOOK and not RETRAIN_WEBHOOK.startswith(("https://", "http://")):
    raise ImproperlyConfigured("RETRAIN_WEBHOOK must begin with https:// or http://")
RETRAIN_SECRET = env.str("RETRAIN_SECRET", default="")
if RETRAIN_WEBHOOK and not RETRAIN_SECRET:
    raise ImproperlyConfigured("RETRAIN_WEBHOOK needs RETRAIN_SECRET, which signs what is sent")
RETRAIN_ON = env.list("RETRAIN_ON", default=["active worse", "promise"])  # kinds of alarms
if _unknown := {*RETRAIN_ON} - {"active worse", "promise", "failing", "drift"}:
    raise ImproperlyConfigured(
        f"RETRAIN_ON names {min(_unknown)!r}; it takes active worse, promise, failing and drift"
    )
MODEL_ALLOW_MODULES = env.list("MODEL_ALLOW_MODULES", default=[])  # such as lightgbm.sklearn
MODEL_ALLOW_OTHER_SKLEARN = env.bool("MODEL_ALLOW_OTHER_SKLEARN", default=False)
MODEL_MAX_MB = env.int("MODEL_MAX_MB", default=1024)  # size of model.pkl
MODEL_MAX_MEMORY_MB = env.int("MODEL_MAX_MEMORY_MB", default=4096)  # for a version's examination
MODEL_MAX_SECONDS = env.int("MODEL_MAX_SECONDS", default=30)  # processor time for the same
TABLE_CELLS = env.int("TABLE_CELLS", default=250_000)  # most inputs of a table
# Where the system cannot confine a scorer process: run it anyway, or not at all.
SCORER_CONFINEMENT = env.str("SCORER_CONFINEMENT", default="best-effort")
if SCORER_CONFINEMENT not in ("required", "best-effort"):
    raise ImproperlyConfigured(
        f"SCORER_CONFINEMENT is {SCORER_CONFINEMENT!r}; it must be required or best-effort"
    )
SCORERS = env.int("SCORERS", default=1)  # processes for each version without a table
ACTIVATION_POLL = 0.5  # seconds between two polls of activations by each worker
PREDICTION_LOG = env.str("PREDICTION_LOG", default="required")
if PREDICTION_LOG not in ("required", "best-effort", "off"):
    raise ImproperlyConfigured(
        f"PREDICTION_LOG is {PREDICTION_LOG!r}; it must be required, best-effort or off"
    )
# Where rows wait, flushed to disk, while the database does not accept them.
SPOOL_DIR = env.path("SPOOL_DIR", default=str(BASE_DIR / "spool"))
# Fields of requests, as model.field, that the log leaves out or keeps only as a salted hash.
LOG_LEAVES_OUT = env.list("LOG_LEAVES_OUT", default=[])
LOG_HASHES = env.list("LOG_HASHES", default=[])
# Older rows are deleted once a day, such as 400d; empty: none are
LOG_RETENTION = env.str("LOG_RETENTION", default="")
if LOG_RETENTION:
    try:
        age(LOG_RETENTION)
    except ValueError as error:
        raise ImproperlyConfigured(f"LOG_RETENTION: {error}") from None
# A folder for whole days as Parquet; if set, no row is deleted before it is archived and checked
LOG_ARCHIVE = env.str("LOG_ARCHIVE", default="")
# Whether the workers start that upkeep, drift alerts and the emptying of the spool themselves
UPKEEP = env.bool("UPKEEP", default=True)
# Whether every caller of the API may read and report on all predictions, not only on its own
LOG_SHARED = env.bool("LOG_SHARED", default=False)
# Free space that the log's disk must have; below it no more rows are written there.
LOG_MIN_FREE_MB = env.int("LOG_MIN_FREE_MB", default=64)
# Drift above this population stability index is reported (manage.py drift_report --alert).
DRIFT_THRESHOLD = env.float("DRIFT_THRESHOLD", default=0.25)
ALERT_EMAILS = env.list("ALERT_EMAILS", default=[])
ALERT_WEBHOOK = env.str("ALERT_WEBHOOK", default="")
if ALERT_WEBHOOK and not ALERT_WEBHOOK.startswith(("https://", "http://")):
    raise ImproperlyConfigured("ALERT_WEBHOOK must begin with https:// or http://")
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="batcomputer@localhost")

# --- Registry -------------------------------------------------------------------------------


def _pasted(value: str) -> str:
    """``value`` without the spaces and quotes around it that copying may add."""
    return value.strip().strip("\"'")


AZURE_STORAGE_ACCOUNT = _pasted(env.str("AZURE_STORAGE_ACCOUNT", default=""))
AZURE_STORAGE_KEY = _pasted(env.str("AZURE_STORAGE_KEY", default=""))
AZURE_STORAGE_SAS_TOKEN = _pasted(env.str("AZURE_STORAGE_SAS_TOKEN", default=""))
AZURE_STORAGE_CONNECTION_STRING = _pasted(env.str("AZURE_STORAGE_CONNECTION_STRING", default=""))
BLOB_CONTAINER = _pasted(
    env.str("BLOB_CONTAINER", default="")
)  # the model that fetch_model fetches by default
VERSION = _pasted(env.str("VERSION", default="latest"))  # the version that it fetches by default

# --- Pages and static files -----------------------------------------------------------------

# All URLs are below this path of the host: pages, files, cookies, the addresses in the document.
try:
    BASE_PATH = base_path(env.str("BASE_PATH", default=""))
except ValueError as error:
    raise ImproperlyConfigured(f"BASE_PATH: {error}") from None
FORCE_SCRIPT_NAME = BASE_PATH or None
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = f"{BASE_PATH}/"
STATIC_URL = f"{BASE_PATH}/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LANGUAGE_CODE = "en-gb"
# The page is in English and in each language with a folder in batclient/locale: de, zh_Hans, …
LANGUAGES = [
    (LANGUAGE_CODE, "English"),
    *(
        (code, LANG_INFO.get(code, {}).get("name_local", code).capitalize())
        for folder in sorted((CODE / "batclient" / "locale").glob("*/"))
        for code in (folder.name.replace("_", "-").lower(),)
    ),
]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600  # seconds that a choice of language is kept
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["batcomputer.formats"]
USE_TZ = True

# --- API ------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # No session authentication: it would ask the page's own fetch for a CSRF token as soon as
    # an administrator is logged in.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["predictor.http.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["predictor.http.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "predictor.http.negotiation.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "predictor.http.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Batcomputer",
    "DESCRIPTION": (
        "Score cases with the active models, in human words. Every prediction is recorded; "
        "comparisons (compare) are questions about the model, and are not."
    ),
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVERS": [{"url": BASE_PATH or "/", "description": "This server"}],
    "SWAGGER_UI_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["predictor.api.schema.describe_models"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_BYTES  # for Django's own parsers

# --- Callers and pages ----------------------------------------------------------------------

# A local server is open; a deployment requires a key by default.
API_KEY_REQUIRED = env.bool("API_KEY_REQUIRED", default=not LOCAL)
# Who may see the pages, which predict too: all people, those who can log in to admin, or none.
PAGES = env.str("PAGES", default="open")
if PAGES not in ("open", "login", "off"):
    raise ImproperlyConfigured(f"PAGES is {PAGES!r}; it must be open, login or off")
# Who may see the page of a recorded case: anyone with its id, people who can log in, or none.
CASE_PAGES = env.str("CASE_PAGES", default="open")
if CASE_PAGES not in ("open", "login", "off"):
    raise ImproperlyConfigured(f"CASE_PAGES is {CASE_PAGES!r}; it must be open, login or off")
# Requests of one key, or without a key of one address, such as 600/minute; empty: no limit. A
# deployment that does not set it limits callers without a key, if it allows them at all.
_KEYLESS = not LOCAL and (not API_KEY_REQUIRED or PAGES == "open")
_IS_SET = "THROTTLE_RATE" in env.ENVIRON
THROTTLE_BY_DEFAULT = "600/minute" if _KEYLESS and not _IS_SET else ""
THROTTLE_RATE = env.str("THROTTLE_RATE", default=THROTTLE_BY_DEFAULT)
# Connections that one address may open in each worker, of 1,000; 0: all.
CONNECTIONS_PER_ADDRESS = env.int("CONNECTIONS_PER_ADDRESS", default=500)
# Most rows of one CSV file, in the API and on the page.
CSV_MAX_ROWS = env.int("CSV_MAX_ROWS", default=1_000_000)
PAGE_CSV_MAX_ROWS = env.int("PAGE_CSV_MAX_ROWS", default=20_000)

# Origins whose scripts may call the API; none by default.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/(api/|v2$|v2/|(swagger|openapi)\.json$)"
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "traceparent", "x-api-key",
    "x-reference",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "X-Prediction-Id", "X-Model-Version", "X-Request-Id", "Retry-After", "RateLimit",
    "RateLimit-Policy", "Link", "ETag",
]  # fmt: skip
if CORS_ALLOWED_ORIGINS:
    INSTALLED_APPS.append("corsheaders")
    MIDDLEWARE.insert(
        MIDDLEWARE.index("predictor.keys.middleware.admit_callers"),
        "corsheaders.middleware.CorsMiddleware",  # a preflight has no key
    )

# Five wrong passwords lock an address out of admin for a quarter of an hour.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["ip_address"]  # not the name: anyone could lock a known name out
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or a person who retries would never get in
AXES_LOCKOUT_CALLABLE = "batclient.refusals.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
# Safe because predictor.http.middleware.trusted_proxies drops the header from all other addresses.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Browsers are redirected to HTTPS; HTTPS=false for a deployment without TLS in front of it.
HTTPS = env.bool("HTTPS", default=not LOCAL)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
LOGIN_REDIRECT_URL = "admin:index"  # for a login whose next address is on another host
CSRF_FAILURE_VIEW = "batclient.refusals.form_expired"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # HSTS for subdomains and the preload list binds a whole domain: its owner must decide.
    "security.W005",
    "security.W021",
    # https_pages redirects pages; redirecting an API call would lose its body.
    "security.W008",
]

# A line for every request, not only for those that are refused, failed or slow.
ACCESS_LOG = env.bool("ACCESS_LOG", default=False)
LOGGING = log_lines.lines(machines=not (LOCAL or DEBUG), stream=log_lines.stream())
