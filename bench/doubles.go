package main

import (
	"context"
	"errors"
	"net"
	"net/http"

	"golang.org/x/sync/errgroup"
)

// doubles are servers of this process that stand in for real ones.
type doubles struct {
	running errgroup.Group
	closers []func() error
}

// serve lets a double answer on a free port.
func (d *doubles) serve(ctx context.Context, handler http.Handler) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: patience}
	d.closers = append(d.closers, server.Close)
	d.running.Go(func() error { return server.Serve(listener) })
	return "http://" + listener.Addr().String(), nil
}

// stop ends all of them.
func (d *doubles) stop() error {
	var faults []error
	for _, closer := range d.closers {
		faults = append(faults, closer())
	}
	if err := d.running.Wait(); !errors.Is(err, http.ErrServerClosed) {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
