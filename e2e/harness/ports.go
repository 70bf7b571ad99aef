package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports below the range that the kernel gives to outgoing connections, so that
// none is lost between its choice and a server's start, or a restart.
const (
	lowestPort  = 17000
	highestPort = 31000
)

var ports = struct {
	sync.Mutex
	next int
}{next: lowestPort + rand.IntN(highestPort-lowestPort)}

// freePort returns a port that nobody listens on and that it returns only once
// in a long while.
func freePort() int { return freePorts(1) }

// freePorts returns the first of n such ports in a row.
func freePorts(n int) int {
	ports.Lock()
	defer ports.Unlock()
	for found := 0; ; {
		if ports.next++; ports.next > highestPort {
			ports.next, found = lowestPort, 0
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.next))
		if err != nil {
			found = 0
			continue
		}
		_ = listener.Close()
		if found++; found == n {
			return ports.next - n + 1
		}
	}
}
