# One image for the app, the REST API and the nightly jobs: the command decides. deploy/compose.yaml and deploy/kubernetes use it.
FROM python:3.11.14-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /packages
COPY requirements.txt .
# Another index for torch, such as PyTorch's own for CPU wheels, keeps the image small: --build-arg TORCH_INDEX=address
ARG TORCH_INDEX=
RUN python -m venv /opt/venv \
    && if [ -n "$TORCH_INDEX" ]; then /opt/venv/bin/pip install --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)"; fi \
    && /opt/venv/bin/pip install -r requirements.txt

FROM python:3.11.14-slim-bookworm
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Marquee" \
      org.opencontainers.image.description="Films recommended, each with a true reason: the app, the REST API and the nightly jobs" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# pg_dump and pg_restore, for backups: of the same PostgreSQL as the server in deploy/compose.yaml, or a newer one. Debian's latest corrections.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 marquee \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin marquee \
    && install --directory --owner=10001 --group=10001 /marquee/data /opt/marquee/static/posters
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/marquee
COPY . .
# Weights that were just trained may be readable by their owner alone.
RUN chmod --recursive a+rX,go-w .
# Where the store is if nobody says otherwise: in a file, since a secret could not go before ENV.
RUN install --directory /etc/marquee && echo sqlite:////marquee/data/feedback.sqlite > /etc/marquee/marquee_database_url
# What is written lies under /marquee/data: mount a volume there, and the rest may be read-only.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MARQUEE_RELEASES=/marquee/data/releases \
    MARQUEE_BACKUPS=/marquee/data/backups \
    MARQUEE_RAW=/marquee/data/raw \
    MARQUEE_CHECKPOINTS=/marquee/data/prepared/checkpoints \
    MARQUEE_EVALUATIONS=/marquee/data/prepared/evaluate \
    HEALTH=http://127.0.0.1:8501/_stcore/health
USER 10001:10001
EXPOSE 8501 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['HEALTH'], timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address", "0.0.0.0", "--server.port", "8501", "--server.headless", "true", "--server.fileWatcherType", "none"]
