# Every service: the context is a folder with its bundle (components/build-context.ts). It only copies, so one
# build serves amd64 and arm64 without emulation.
ARG BASE_IMAGE=node:22-bookworm-slim
FROM ${BASE_IMAGE}
WORKDIR /app
COPY . /app
USER 10001:10001
ENTRYPOINT ["node", "/app/main.js"]
