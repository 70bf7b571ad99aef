package web

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

type healthStatus struct {
	Status string `json:"status"`
	Index  string `json:"index,omitempty"` // building, or nothing to say
}

type version struct {
	Version string `json:"version"`
}

// Health adds /health/alive, /health/ready and /version, which answer as Ory's
// servers do. Ready asks every check; their errors are logged, not shown. It also says
// what state an index is in, which is no reason to send requests elsewhere; nil for
// none.
func (s *Server) Health(
	r gin.IRouter, release string, checks map[string]func(context.Context) error, index func(context.Context) string,
) {
	r.GET("/health/alive", func(c *gin.Context) { c.JSON(http.StatusOK, healthStatus{Status: "ok"}) })
	r.GET("/version", func(c *gin.Context) { c.JSON(http.StatusOK, version{release}) })
	r.GET("/health/ready", func(c *gin.Context) {
		for name, check := range checks {
			if err := soon(c.Request.Context(), check); err != nil {
				s.Log.WarnContext(c.Request.Context(), "not ready", "part", name, "error", err)
				s.Fail(c, ErrUnavailable)
				return
			}
		}
		ready := healthStatus{Status: "ok"}
		if index != nil {
			ctx, cancel := context.WithTimeout(c.Request.Context(), checkTime)
			defer cancel()
			ready.Index = index(ctx)
		}
		c.JSON(http.StatusOK, ready)
	})
}

// checkTime bounds each check of readiness: probes have less patience than people.
const checkTime = 3 * time.Second

func soon(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	return check(ctx)
}
