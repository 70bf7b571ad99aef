package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/holdline/holdline/config"
)

func listen(ctx context.Context, cfg config.Config) (public, admin net.Listener, err error) {
	var l net.ListenConfig
	public, err = l.Listen(ctx, "tcp", net.JoinHostPort(cfg.Public.Host, fmt.Sprint(cfg.Public.Port)))
	if err != nil {
		return nil, nil, fmt.Errorf("public listener: %w", err)
	}
	admin, err = l.Listen(ctx, "tcp", net.JoinHostPort(cfg.Admin.Host, fmt.Sprint(cfg.Admin.Port)))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("admin listener: %w", err), public.Close())
	}
	return public, admin, nil
}

// serve answers on one listener until ctx ends, then drains.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 90 * time.Second, MaxHeaderBytes: 32 << 10,
	}
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		drained <- server.Shutdown(grace)
	})
	err := server.Serve(listener)
	if !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	return <-drained
}
