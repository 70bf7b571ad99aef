//go:build !unix

package dialect

import "net"

// quiet cannot look: a connection that has ended is found by using it.
func quiet(net.Conn) bool { return true }
