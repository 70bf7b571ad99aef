package provider

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const loadLimit = 10 * time.Second

// loadBody reads a template from where the configuration says it is. Errors do
// not repeat a URL, which may hold a password.
func loadBody(client *http.Client, place string) ([]byte, error) {
	scheme, rest, _ := strings.Cut(place, "://")
	var source []byte
	var err error
	switch scheme {
	case "base64":
		source, err = decodeBase64(rest)
	case "file":
		source, err = readFile(rest)
	case "http", "https":
		source, err = fetch(client, place)
	default:
		return nil, errors.New("must begin with base64://, file:// or http(s)://")
	}
	if err != nil {
		return nil, err
	}
	if len(source) > longestTemplate {
		return nil, fmt.Errorf("must be no longer than %d bytes", longestTemplate)
	}
	return source, nil
}

func decodeBase64(text string) ([]byte, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	if source, err := base64.RawStdEncoding.DecodeString(text); err == nil {
		return source, nil
	}
	source, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("is no base64")
	}
	return source, nil
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name) //nolint:gosec // The operator names the file.
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // It was only read.
	return io.ReadAll(io.LimitReader(file, longestTemplate+1))
}

func fetch(client *http.Client, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("is no URL")
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("cannot be fetched: %w", describeTransport(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("cannot be fetched: the answer is %d", res.StatusCode)
	}
	source, err := io.ReadAll(io.LimitReader(res.Body, longestTemplate+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be fetched: %w", describeTransport(err))
	}
	return source, nil
}
