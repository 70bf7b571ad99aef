package admin

import (
	"context"

	"github.com/holdline/holdline/internal/statistics"
)

// Series returns what became of changes of number over a span, those to one calling code or, for a
// blank one, to all.
func (d *Service) Series(ctx context.Context, span statistics.Span, callingCode string) (statistics.Series, error) {
	now := d.Now()
	since, until := span.Bounds(now)
	hours, err := d.Statistics.Hours(ctx, since, until)
	return statistics.NewSeries(hours, span, now, callingCode), err
}
