// Package double stands in for the servers around Holdline while its own speed
// is measured: an Ory Kratos that keeps its identities in memory, and an SMS
// provider that answers as late as it is told. Both take what Holdline really
// sends, and refuse what the real ones would refuse; neither costs more than it
// must.
package double
