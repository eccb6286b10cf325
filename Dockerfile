# syntax=docker/dockerfile:1

# Quorum on one machine: `quorum up` in the foreground, with the stores of DATABASE_URL and
# REDIS_URL, or with the embedded ones under QUORUM_HOME.
#
#   docker build -t quorum .
#   docker run --shm-size 512m --stop-timeout 60 -p 8000:8000 -e DATABASE_URL -e REDIS_URL \
#       -v quorum:/var/lib/quorum quorum
#
# Every dependency is a wheel with its own libraries, so the base needs no compiler and no further
# system package.

FROM python:3.11-slim-bookworm AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_COMPILE=1

RUN python -m venv /opt/quorum
ENV PATH=/opt/quorum/bin:$PATH

WORKDIR /build
# Dependencies first, so that this layer is cached until they change.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && pip install --only-binary :all: --constraint constraints.txt --requirement requirements.txt

COPY README.md ./
COPY fraud fraud
COPY settings settings
COPY stores stores
COPY telemetry telemetry
COPY features features
COPY models models
COPY data data
COPY decision_log decision_log
COPY experiments experiments
COPY deciding deciding
COPY deployments deployments
COPY training training
COPY serve_app serve_app
COPY cluster cluster
RUN pip install --no-deps . \
    && cp cluster/install/quorum.pth "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/quorum.pth"


FROM python:3.11-slim-bookworm

LABEL org.opencontainers.image.title="Quorum" \
      org.opencontainers.image.description="Real-time fraud decisions by a quorum of models, on Ray Serve" \
      org.opencontainers.image.licenses="Apache-2.0"

RUN groupadd --gid 10001 quorum \
    && useradd --uid 10001 --gid quorum --no-create-home --home-dir /var/lib/quorum --shell /usr/sbin/nologin quorum \
    && install --directory --owner quorum --group quorum /var/lib/quorum /var/lib/quorum-artifacts

COPY --from=builder /opt/quorum /opt/quorum
WORKDIR /opt/quorum/share
COPY serve_config.yaml ./

ENV PATH=/opt/quorum/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/quorum \
    QUORUM_HOME=/var/lib/quorum \
    QUORUM_HTTP_HOST=0.0.0.0

# By number, so that a host can verify that it is not root.
USER 10001:10001
VOLUME /var/lib/quorum
EXPOSE 8000

# The first start trains models before it answers.
HEALTHCHECK --interval=10s --timeout=3s --start-period=300s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('QUORUM_HTTP_PORT', '8000') + '/v2/health/live', timeout=2)"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["quorum"]
CMD ["up", "--foreground"]
