// Package ratelimit bounds how often something may happen, counted over all replicas
// by the generic cell rate algorithm (ITU-T I.371, annex A).
package ratelimit
