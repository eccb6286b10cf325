# syntax=docker/dockerfile:1

# Quorum in an image: docs/deploy-docker.md tells how to build, run and renew it.
#
#   docker build -t quorum .
#   docker run --read-only --tmpfs /tmp --shm-size 512m --ulimit nofile=65536 -p 8000:8000 \
#       -v quorum:/var/lib/quorum -e DATABASE_URL -e REDIS_URL quorum
#
# Every dependency is a wheel with its own libraries, so the base needs no further system package.

# This digest was read in build logs of several public projects (Python 3.11.16). It was not possible
# to ask the registry: renew it before the first release (docs/deploy-docker.md).
ARG BASE=docker.io/library/python:3.11-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84


FROM ${BASE} AS base


# What Quorum depends on: the largest layer, which changes with the lock only.
FROM base AS dependencies

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

# `strip`. It works in this stage only, so that its version is of no account.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/*

# Two environments: one with pip, one without, which it installs into.
COPY deploy/image/build.lock deploy/image/requirements.lock /build/
RUN python -m venv /opt/tools \
    && python -m venv --without-pip /opt/quorum \
    && /opt/tools/bin/pip install --only-binary :all: --require-hashes --requirement /build/build.lock \
    && /opt/tools/bin/pip --python /opt/quorum/bin/python install --no-compile --no-deps \
        --only-binary :all: --require-hashes --requirement /build/requirements.lock

# Modules are compiled here: a process that imports Ray and pandas starts in 4 s instead of 13, for
# 180 MB. Their sources do not change, so nobody checks whether they did.
COPY deploy/image/trim.py /build/
RUN python /build/trim.py /opt/quorum/lib/python3.11/site-packages \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/quorum/lib


FROM dependencies AS quorum

WORKDIR /build/source
COPY pyproject.toml README.md LICENSE ./
COPY fraud fraud
COPY settings settings
COPY stores stores
COPY telemetry telemetry
COPY features features
COPY models models
COPY data data
COPY references references
COPY bulk bulk
COPY decision_log decision_log
COPY experiments experiments
COPY deciding deciding
COPY deployments deployments
COPY training training
COPY serve_app serve_app
COPY cluster cluster
# A tree that is laid over /opt/quorum.
RUN /opt/tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /build . \
    && /opt/tools/bin/pip --python /opt/quorum/bin/python install --no-deps --no-index --no-compile \
        --prefix /build/own /build/*.whl \
    && cp cluster/install/quorum.pth /build/own/lib/python3.11/site-packages/ \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -s /build/own -p /opt/quorum /build/own/lib

COPY deploy/image/sbom.py deploy/image/health.py /build/
COPY --from=base /var/lib/dpkg/status /build/packages
COPY serve_config.yaml LICENSE /build/own/share/
RUN cp /build/health.py /build/own/share/ \
    && python /build/sbom.py /opt/quorum/lib/python3.11/site-packages \
        /build/own/lib/python3.11/site-packages --packages /build/packages \
        >/build/own/share/sbom.cdx.json


FROM base

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=""
LABEL org.opencontainers.image.title="Quorum" \
      org.opencontainers.image.description="Real-time fraud decisions by a quorum of models, on Ray Serve" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

# The base comes without compiled modules, and with a pip that nothing here needs.
RUN groupadd --gid 10001 quorum \
    && useradd --uid 10001 --gid quorum --no-create-home --home-dir /var/lib/quorum --shell /usr/sbin/nologin quorum \
    && install --directory --mode 0700 --owner quorum --group quorum /var/lib/quorum /var/lib/quorum-artifacts /var/lib/quorum-jobs \
    && rm -rf /usr/local/lib/python3.11/ensurepip /usr/local/bin/pip* \
        /usr/local/lib/python3.11/site-packages/pip* \
        /usr/local/lib/python3.11/site-packages/setuptools* \
        /usr/local/lib/python3.11/site-packages/wheel* \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x '/(test|tests|lib2to3|.*-packages)/' \
        "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"

COPY --from=dependencies /opt/quorum /opt/quorum
COPY --from=quorum /build/own /opt/quorum
WORKDIR /opt/quorum/share

# HOME is writable: numba keeps its machine code there, made for the processor that it runs on.
ENV PATH=/opt/quorum/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/quorum \
    QUORUM_HOME=/var/lib/quorum \
    QUORUM_HTTP_HOST=0.0.0.0 \
    QUORUM_IMAGE=1

# By number, so that a host can verify that it is not root.
USER 10001:10001
VOLUME /var/lib/quorum
EXPOSE 8000

# The first start trains models before it answers.
HEALTHCHECK --interval=10s --timeout=3s --start-period=300s --retries=3 \
    CMD ["python", "-S", "-E", "/opt/quorum/share/health.py", "live"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["quorum"]
CMD ["up", "--foreground"]
