# Untested. Run it with the host's network (see compose.yaml): the page listens on loopback only.
FROM python:3.11-slim AS build
WORKDIR /app
COPY . .
RUN python3 start.py setup && rm -rf .venv/node web/node_modules

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 ticktick && install -d -o ticktick /data
COPY --from=build /app/.venv /app/.venv
COPY --from=build /app/src /app/src
ENV PATH=/app/.venv/bin:$PATH TICKTICK_HOME=/data OMP_WAIT_POLICY=PASSIVE PYTHONUNBUFFERED=1
USER ticktick
VOLUME /data
ENTRYPOINT ["ticktick"]
CMD ["demo", "--no-browser"]
