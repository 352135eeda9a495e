# syntax=docker/dockerfile:1
# Stackling's service with the Pulumi engine and the plugins of every provider that its drivers use.
# docs/platform.md says how it is built and run. Versions are those that package.json pins.
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
# prepack emits dist/; the tarball holds what the package does and nothing else.
RUN npm pack --pack-destination /tmp \
 && mkdir -p /out/stackling \
 && tar -xzf /tmp/stackling-*.tgz --strip-components=1 -C /out/stackling \
 && cp package-lock.json /out/stackling/ \
 && cd /out/stackling \
 && npm ci --omit=dev --no-audit --no-fund

FROM node:${NODE_VERSION}-slim AS engine
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/*
ARG PULUMI_VERSION=3.259.0
# SHA-256 of the download for this architecture, when you pin it yourself; else that of Pulumi's release.
ARG PULUMI_SHA256=""
ARG TARGETARCH=amd64
WORKDIR /tmp/engine
RUN set -eu; \
    case "$TARGETARCH" in amd64) arch=x64 ;; arm64) arch=arm64 ;; *) echo "no engine for $TARGETARCH" >&2; exit 1 ;; esac; \
    file="pulumi-v${PULUMI_VERSION}-linux-${arch}.tar.gz"; \
    curl -fsSLO "https://get.pulumi.com/releases/sdk/${file}"; \
    sum="$PULUMI_SHA256"; \
    if [ -z "$sum" ]; then \
      sums="https://github.com/pulumi/pulumi/releases/download/v${PULUMI_VERSION}/pulumi-${PULUMI_VERSION}-checksums.txt"; \
      sum="$(curl -fsSL "$sums" | awk -v file="$file" '$2 == file { print $1 }')"; \
    fi; \
    echo "${sum:?has no checksum}  ${file}" | sha256sum --check --strict -; \
    mkdir -p /opt/pulumi; \
    tar -xzf "$file" --strip-components=1 -C /opt/pulumi; \
    rm "$file"
# Nothing shall be downloaded at run time: each provider's plugin goes onto PATH, in the version of its package.
COPY --from=build /out/stackling/node_modules/@pulumi /tmp/packages
COPY scripts/plugins.mjs /tmp/plugins.mjs
RUN PULUMI_HOME=/tmp/home node /tmp/plugins.mjs /opt/pulumi/pulumi /tmp/packages \
 && mkdir -p /opt/pulumi/plugins \
 && cp /tmp/home/plugins/resource-*/pulumi-resource-* /opt/pulumi/plugins/

FROM node:${NODE_VERSION}-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git git-lfs tini \
 && rm -rf /var/lib/apt/lists/*
COPY --from=engine /opt/pulumi /opt/pulumi
COPY --from=build /out/stackling /opt/stackling
# The data folder is below /data, so that whatever else a volume holds at its top is left alone.
RUN ln -s /opt/stackling/bin/stackling.mjs /usr/local/bin/stackling \
 && mkdir -p /data \
 && chown 1000:1000 /data
ENV NODE_ENV=production \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/pulumi:/opt/pulumi/plugins \
    STACKLING_ENGINE=/opt/pulumi/pulumi \
    XDG_DATA_HOME=/data \
    XDG_CACHE_HOME=/data/cache \
    STACKLING_PORT=4000
# By number, for orchestrators that refuse to start root must be able to tell.
USER 1000:1000
VOLUME ["/data", "/tmp"]
EXPOSE 4000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.STACKLING_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# tini reaps what previews' and engines' processes leave behind, and passes signals on.
ENTRYPOINT ["/usr/bin/tini", "--", "stackling"]
CMD ["serve", "--config", "/etc/stackling/stackling.yaml", "--host", "0.0.0.0"]
