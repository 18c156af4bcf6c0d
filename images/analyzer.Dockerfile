# The ten analyzers: bundle, worker, model, WebAssembly and font come from the context
# (components/build-context.ts). APP comes last and adds no layer, so that the ten images share all of theirs.
ARG BASE_IMAGE=node:22-bookworm-slim
FROM ${BASE_IMAGE}
WORKDIR /app
COPY . /app
USER 10001:10001
ENTRYPOINT ["node", "/app/main.js"]
# pi1, pi1-1 … pi1-9; the analyzer refuses to start with anything else.
ARG APP
ENV APP=${APP}
LABEL dev.berth.app=${APP}
