# One image for every role: `serve`, `worker`, `migrate`, `seed` and `doctor` differ by command.
#
#   docker build -t halobestie .
#   docker build -t halobestie:slim --build-arg FEATURES=auth,availability,chat .
#
# Written for any builder (BuildKit, the older one, Podman, Kaniko): no cache mounts, no syntax line
# that has to be fetched. Base images are arguments, for a host that reaches no registry.

ARG RUST_IMAGE=docker.io/library/rust:1.95-bookworm
ARG RUNTIME_IMAGE=scratch

FROM ${RUST_IMAGE} AS toolchain
WORKDIR /src
# The C library is linked in, so that the image needs no other file. It is glibc, which is what the
# tests run on and whose allocator threads do not fight over; since 2.34 it resolves names without
# plug-ins. A target that is named keeps build scripts and macros, which must be dynamic, out of it.
# Packed relocations are a megabyte less.
ENV RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs" CARGO_INCREMENTAL=0
RUN rustc -vV | sed -n 's/^host: //p' > /target && mkdir /empty

# What the dependencies depend on: manifests, the lock, and an empty file for each target. The same as
# long as those are the same, so the next stage comes from the cache when only code has changed.
FROM toolchain AS manifests
COPY . .
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock \
      ! -path '*/src/lib.rs' ! -path '*/src/main.rs' ! -path '*/benches/*.rs' \
      ! -path '*/tests/*/main.rs' -delete \
    && for file in $(find . -name '*.rs'); do echo 'fn main() {}' > "$file"; done \
    && find . -type d -empty -delete

FROM toolchain AS dependencies
# The modules of this image, comma-separated; `image` is all of them but what is for developers alone.
ARG FEATURES=image
COPY --from=manifests /src .
RUN cargo build --release --locked --target "$(cat /target)" --bin halobestie \
      --no-default-features --features "${FEATURES}"

FROM dependencies AS build
COPY . .
ARG VERSION=
ARG COMMIT=unknown
# Cargo goes by the time of a file, and the real ones may be older than the empty ones were. What build scripts
# wrote below target/ stays as old as it is: a dependency would be compiled anew for it.
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && version=${VERSION:-$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)} \
    && HALOBESTIE_VERSION="${version} (${COMMIT})" \
       cargo build --release --locked --target "$(cat /target)" --bin halobestie \
         --no-default-features --features "${FEATURES}" \
    && install -D "target/$(cat /target)/release/halobestie" /image/usr/local/bin/halobestie

# No shell, no package manager, no C library. The authorities for TLS are compiled in (webpki-roots;
# DATABASE_CA names others for Postgres), and nothing asks for a time zone: all times are UTC.
FROM ${RUNTIME_IMAGE}
ARG VERSION=
ARG COMMIT=unknown
ARG CREATED=
LABEL org.opencontainers.image.title="halobestie" \
      org.opencontainers.image.description="A modular server for paid companion chat." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /image /
# Uploads: a volume that is mounted here for the first time takes over the owner.
COPY --from=build --chown=65532:65532 /empty /data
ENV APP_ENV=production
WORKDIR /
USER 65532:65532
# The internal listener is on loopback inside of the container, and named nowhere here on purpose.
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["halobestie", "healthcheck"]
ENTRYPOINT ["halobestie"]
CMD ["serve"]
