# The Batcomputer's image: what pip installs, the code, the static files and (last stage) the models.
#
#   docker build -t batcomputer:1.0.0 .                  with the models of models/ baked in
#   docker build -t batcomputer:1.0.0 --target server .  without: something fetches them at start
#
# It runs as user 10001 with a read-only root; /data, /tmp and (without baked models) /models are
# the places it writes to. docs/deploy.md has the ways to run it, scripts/image-test proves this.

# The tag moves with Python's and Debian's fixes, so a build with --pull has them all. The release pipeline
# builds from the tag's digest of the day, and names it: --build-arg PYTHON=…@sha256:…
ARG PYTHON=docker.io/library/python:3.13-slim-trixie

# The packages change rarely, so they are in a separate layer, which depends only on the pinned list.
# hadolint ignore=DL3006
FROM ${PYTHON} AS packages
COPY requirements.txt /
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --only-binary :all: --require-hashes -r /requirements.txt \
    # nothing is installed, tested or translated in the running image
    && /opt/venv/bin/pip uninstall --yes --quiet setuptools pip \
    && find /opt/venv/lib -type d -name tests -prune -exec rm -r {} + \
    && find /opt/venv/lib -name '*.po' -delete

FROM packages AS app
WORKDIR /app
COPY manage.py gunicorn.conf.py ./
COPY batcomputer/ batcomputer/
COPY predictor/ predictor/
COPY batclient/ batclient/
RUN SECRET_KEY="only collects static files, signs nothing" \
        /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
            --ignore redoc \
    && /opt/venv/bin/python -m compileall -q .

# hadolint ignore=DL3006
FROM ${PYTHON} AS server
RUN groupadd --gid 10001 batcomputer \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin batcomputer \
    && install --directory --owner=10001 --group=10001 /data /models
COPY --from=packages /opt/venv /opt/venv
COPY --from=app /app /app
# joblib would start a program to count the processors; a prediction never uses more than one
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOKY_MAX_CPU_COUNT=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    MODELS_DIR=/models \
    DATABASE_URL=sqlite:////data/batcomputer.sqlite3 \
    SPOOL_DIR=/data/spool
LABEL org.opencontainers.image.title=Batcomputer \
    org.opencontainers.image.licenses=MIT
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "\
import os, http.client as http; \
c = http.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); \
c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
# gunicorn is process 1, so SIGTERM reaches it and lets requests under way finish
CMD ["gunicorn", "batcomputer.wsgi"]

FROM server AS with-models
# The folder of models (<model>/<version>/…) to bake in, inside the build context.
ARG MODELS=models
COPY ${MODELS}/ /models/
# The model that answers /api/predict, and the versions that answer regardless of activations, such as
# crime=1.0.0,titanic=1.0.0; empty: the activated versions, else the highest.
ARG DEFAULT_MODEL=crime
ARG MODEL_VERSION=
# The versions to activate in a database without activations. Later decisions take precedence, so the
# image must include the active versions.
ARG INITIAL_VERSION=
ENV DEFAULT_MODEL=$DEFAULT_MODEL \
    MODEL_VERSION=$MODEL_VERSION \
    INITIAL_VERSION=$INITIAL_VERSION
# compute verdicts and tables once, at build time, so that the service answers as soon as it starts
RUN SECRET_KEY="only examines models, signs nothing" python manage.py verify_model --new
# the commit it was built from, and the base
ARG REVISION=
ARG PYTHON
LABEL org.opencontainers.image.revision=$REVISION \
    org.opencontainers.image.base.name=$PYTHON
