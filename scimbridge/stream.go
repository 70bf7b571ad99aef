package scimbridge

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	// streamTime is how long an answer may take to be written that is read while it is.
	streamTime = 5 * time.Minute
	// streamBuffer is how much of an answer is held back: until there is more of it, an
	// error can still be told.
	streamBuffer = 64 << 10
)

// stream answers with what is written, without holding all of it. An error after the
// first part of it has gone ends the connection, so that nobody takes the part for the
// whole.
func stream(c *gin.Context, status int, write func(ctx context.Context, w *bufio.Writer) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), streamTime)
	defer cancel()
	answer := &streamed{c: c, status: status}
	answer.until, _ = ctx.Deadline()
	w := bufio.NewWriterSize(answer, streamBuffer)
	err := write(ctx, w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil && answer.begun {
		panic(http.ErrAbortHandler)
	}
	return err
}

// streamed writes the head of an answer before its first part.
type streamed struct {
	c      *gin.Context
	status int
	until  time.Time
	begun  bool
}

func (s *streamed) Write(part []byte) (int, error) {
	if !s.begun {
		s.begun = true
		_ = http.NewResponseController(s.c.Writer).SetWriteDeadline(s.until) // not all writers have one
		s.c.Header("Cache-Control", "no-store")
		s.c.Header("Content-Type", contentType(s.c))
		s.c.Status(s.status)
	}
	return s.c.Writer.Write(part)
}

// writeList writes a list of n resources, each of which write writes.
func writeList(w *bufio.Writer, list listResponse, n int, write func(i int) error) error {
	text, err := json.Marshal(list) // ends in an empty list of resources
	if err != nil {
		return err
	}
	_, _ = w.Write(text[:len(text)-len("]}")]) // the writer keeps its first error
	for i := range n {
		if i > 0 {
			_ = w.WriteByte(',')
		}
		if err := write(i); err != nil {
			return err
		}
	}
	_, err = w.WriteString("]}")
	return err
}
