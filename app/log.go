package app

import (
	"io"
	"log/slog"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/tracing"
	"github.com/holdline/holdline/wiring"
)

// Logger writes lines in the configured form, each with its request id.
func Logger(cfg config.Config, out io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewJSONHandler(out, options)
	if cfg.Log.Format == "text" {
		handler = slog.NewTextHandler(out, options)
	}
	if wiring.Tracing(cfg).On() {
		handler = tracing.LogHandler{Handler: handler}
	}
	return slog.New(web.LogHandler{Handler: handler})
}
