package doctor

import (
	"errors"
	"net"
	"syscall"
)

// Unanswered says in fixed words why there is no answer: what net/http says has
// the URL in it.
func Unanswered(err error) error {
	var lookup *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &lookup):
		return errors.New("the host's address cannot be found")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the connection is refused")
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("no answer came in time")
	default:
		return errors.New("the connection breaks, its certificate is not trusted, or the answer is not HTTP")
	}
}
