# Untested. Run it with the host's network (see compose.yaml): the page listens on loopback only.
# Without REDIS_URL it starts a Redis of its own, as everywhere.
FROM python:3.11-slim AS build
WORKDIR /app
COPY . .
# an image with the plain page only would be a surprise: no page, no image
RUN python3 start.py setup && test -f src/ticktick/web/dist/index.html && rm -rf .venv/node

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 ticktick && install -d -o ticktick /data
COPY --from=build /app/.venv /app/.venv
COPY --from=build /app/src /app/src
ENV PATH=/app/.venv/bin:$PATH TICKTICK_HOME=/data OMP_WAIT_POLICY=PASSIVE PYTHONUNBUFFERED=1
USER ticktick
VOLUME /data
ENTRYPOINT ["ticktick"]
CMD ["demo", "--no-browser"]
