package harness

import (
	"net/http"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Sample is one value of a metric, with its labels.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Samples are what a program exports to Prometheus, by name.
type Samples map[string][]Sample

// Sum adds up the samples of a name that have all the labels, each given as
// "name=value".
func (s Samples) Sum(name string, labels ...string) float64 {
	sum := 0.0
	for _, sample := range s[name] {
		fits := true
		for _, label := range labels {
			key, value, _ := strings.Cut(label, "=")
			fits = fits && sample.Labels[key] == value
		}
		if fits {
			sum += sample.Value
		}
	}
	return sum
}

// Scrape reads the program's metrics as Prometheus does; the second result is the
// answer as it came.
func (h *Holdline) Scrape(t testing.TB) (Samples, string) {
	t.Helper()
	answer := Send(t, http.MethodGet, h.AdminURL+"/metrics", "")
	if answer.Status != http.StatusOK {
		t.Fatalf("metrics: %d %s", answer.Status, answer.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(answer.Body))
	if err != nil {
		t.Fatalf("metrics: %v", err)
	}
	found := Samples{}
	for _, family := range families {
		read(found, family)
	}
	return found, answer.Body
}

// read takes a family's samples down, under the names that Prometheus gives them.
func read(into Samples, family *dto.MetricFamily) {
	vector, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, family)
	if err != nil {
		return // what Prometheus does not understand either
	}
	for _, sample := range vector {
		labels := map[string]string{}
		for name, value := range sample.Metric {
			labels[string(name)] = string(value)
		}
		name := labels[model.MetricNameLabel]
		delete(labels, model.MetricNameLabel)
		into[name] = append(into[name], Sample{Labels: labels, Value: float64(sample.Value)})
	}
}
