package tracing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// uploader sends spans by OTLP over HTTP, in binary Protobuf
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp). It is an otlptrace.Client.
type uploader struct {
	url     string
	headers map[string]string
	client  *http.Client
}

// newUploader follows no redirects: headers that hold keys would go along.
func newUploader(address string, headers map[string]string) *uploader {
	return &uploader{address, headers, &http.Client{
		Timeout:       uploadTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// mostUploads bounds how often one batch is sent.
const mostUploads = 5

// Start implements otlptrace.Client.
func (*uploader) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (u *uploader) Stop(context.Context) error { u.client.CloseIdleConnections(); return nil }

// UploadTraces implements otlptrace.Client. TracesData is on the wire what
// ExportTraceServiceRequest is; the latter's package would link all of gRPC.
func (u *uploader) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("write spans: %w", err)
	}
	var last error
	_, err = backoff.Retry(ctx, func() (struct{}, error) { last = u.post(ctx, body); return struct{}{}, last },
		backoff.WithMaxTries(mostUploads))
	if err != nil && !errors.Is(err, errUpload) { // there was no time for another attempt
		err = fmt.Errorf("%w: %w", last, err)
	}
	return err
}

// errUpload says that the collector does not take spans.
var errUpload = errors.New("tracing: the collector does not take spans")

func (u *uploader) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url, bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(err)
	}
	for name, value := range u.headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := u.client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: no answer", errUpload) // what net/http says may hold the URL's credentials
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return fmt.Errorf("%w: answer broke off", errUpload)
	}
	err = fmt.Errorf("%w: status %d", errUpload, resp.StatusCode)
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNoContent, http.StatusAccepted:
		return nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if wait, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil && wait >= 0 {
			return fmt.Errorf("%w, %w", err, &backoff.RetryAfterError{Duration: time.Duration(wait) * time.Second})
		}
		return err
	default:
		return backoff.Permanent(err)
	}
}
