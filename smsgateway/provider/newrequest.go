package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/segment"
)

// newRequest makes a request. What net/url says of a bad URL may hold what is in
// it, and so is left out.
func newRequest(ctx context.Context, method, address, media string, body []byte) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return nil, fmt.Errorf("%w: the URL cannot be used", smsgateway.ErrRefused)
	}
	req.Header.Set("User-Agent", "Holdline")
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	return req, nil
}

func postJSON(ctx context.Context, address string, fields map[string]any) (*http.Request, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(fields); err != nil {
		return nil, fmt.Errorf("%w: the text is no JSON", smsgateway.ErrRefused)
	}
	return newRequest(ctx, http.MethodPost, address, typeJSON, body.Bytes())
}

func postForm(ctx context.Context, address string, form url.Values) (*http.Request, error) {
	return newRequest(ctx, http.MethodPost, address, typeForm, []byte(form.Encode()))
}

// digits is a number without the plus sign.
func digits(m smsgateway.Message) string { return strings.TrimPrefix(m.To.Unmasked(), "+") }

// isUnicode reports whether a text needs UCS-2.
func isUnicode(m smsgateway.Message) bool {
	return segment.Measure(m.Body).Encoding == segment.UCS2
}
