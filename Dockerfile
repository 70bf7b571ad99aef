# syntax=docker/dockerfile:1
# The program and its licences, as a user without rights. Build it in a checkout,
# so that it knows its commit:
#   docker build --build-arg RELEASE="$(git describe --tags --always)" -t holdline .
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG RELEASE=unknown
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -tags nomsgpack -buildvcs=true -ldflags "-s -w -X main.release=$RELEASE" -o /out/holdline ./cmd/holdline \
    && mkdir -p /out/data
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH ./deploy/licences.sh >/out/THIRD_PARTY_LICENSES

FROM scratch
# What providers and Kratos are called with over TLS. All times are UTC, so no
# time zones are needed.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/holdline /usr/local/bin/holdline
COPY LICENSE /licenses/
COPY --from=build /out/THIRD_PARTY_LICENSES /licenses/
# An SQLite database may be here, on a volume; with MySQL nothing is written.
COPY --from=build --chown=65532:65532 /out/data /var/lib/holdline
WORKDIR /var/lib/holdline
USER 65532:65532
ENV HOLDLINE_PUBLIC_HOST=0.0.0.0 HOLDLINE_ADMIN_HOST=0.0.0.0
EXPOSE 4477 4478
ENTRYPOINT ["/usr/local/bin/holdline"]
CMD ["serve"]
