// Package groups is what SCIM clients do with groups (RFC 7643, section 4.2). Kratos
// has no groups: they live in Holdline's database, their members as rows, so that a
// change costs what it changes and not what the group has. A group's document never
// holds its members; they are read by the page.
package groups
