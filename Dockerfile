# The bot as an image: one stage builds, the other only runs, as a user with no rights.
#   docker build --tag greenlight .
#   docker run --publish 127.0.0.1:8080:8080 --volume greenlight:/srv/greenlight/var greenlight

FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/greenlight
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY bot bot
COPY config config
COPY handlers handlers
COPY migrations migrations
COPY src src
RUN /opt/greenlight/bin/pip install --no-cache-dir --constraint constraints.txt ".[postgres,viewer]"

FROM python:3.11-slim
RUN useradd --uid 10001 --create-home --home-dir /srv/greenlight greenlight \
    && install --directory --owner greenlight --group greenlight /srv/greenlight/var
COPY --from=build /opt/greenlight /opt/greenlight
ENV PATH=/opt/greenlight/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BOT_PROFILE=demo \
    BOT_WEB__HOST=0.0.0.0 \
    BOT_WEB__PORT=8080
WORKDIR /srv/greenlight
VOLUME /srv/greenlight/var
EXPOSE 8080
USER 10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['BOT_WEB__PORT'] + '/health', timeout=4)"]
CMD ["bot", "run"]
