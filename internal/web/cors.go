package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rs/cors"
)

// preflightLife is how long a browser may keep what it was told about an origin; an
// origin that is taken off the list is forgotten as soon.
const preflightLife = 10 * time.Minute

// ShareWith lets the pages of some origins call what stands below a path, with the
// person's cookie, and read the answers (CORS, https://fetch.spec.whatwg.org). Only the
// methods and headers of owners' routes are allowed, and no origin has a wildcard: with
// cookies that would be every site. Without origins nothing is added.
func ShareWith(origins []string, path string, next http.Handler) (http.Handler, error) {
	if len(origins) == 0 {
		return next, nil
	}
	exact := make([]string, len(origins))
	for i, text := range origins {
		var err error
		if exact[i], err = originOf(text); err != nil {
			return nil, fmt.Errorf("share with %q: %w", text, err)
		}
	}
	shared := cors.New(cors.Options{
		AllowedOrigins: exact, AllowCredentials: true,
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodDelete},
		AllowedHeaders: []string{"Content-Type", "Authorization", "X-Session-Token"},
		ExposedHeaders: []string{"Retry-After", requestIDHeader},
		MaxAge:         int(preflightLife.Seconds()),
	}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, path+"/") {
			shared.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	}), nil
}
