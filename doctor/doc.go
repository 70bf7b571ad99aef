// Package doctor finds what would let a number change without a code, or would
// not work, in the configuration of Kratos and Holdline and in their running
// servers. Each check is a function of values: what kratos.yml says ([File]), how
// Holdline is configured ([Setup], [Realm]) and what was seen of the servers
// ([Live]). docs/doctor.md lists the findings; docs/kratos.md
// says why.
package doctor
