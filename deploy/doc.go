// Package deploy holds examples of how Holdline is run: as a systemd service, in a
// container, on Kubernetes, and with Kratos and PostgreSQL or MySQL by compose. The tests hold
// each example against what will read it: systemd's own checks, the parsers of
// Dockerfiles and compose files, Kubernetes' types, the real Kratos, and the real
// holdline. docs/install.md says how each is used.
//
// It is a module of its own, so that none of these parsers is part of Holdline.
package deploy
