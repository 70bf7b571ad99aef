package config_test

import (
	"strings"
	"testing"
)

func TestTracingAndTheAccessLogAreRead(t *testing.T) {
	c, err := load(t, "holdline.yml", good+"tracing: {otlp_endpoint: 'http://collector:4318', sample_ratio: 0.5}\n",
		[]string{"HOLDLINE_LOG_ACCESS=true"}, []string{"--tracing-sample-ratio", "0.25"})
	if err != nil || c.Tracing.Endpoint != "http://collector:4318" || c.Tracing.Ratio != 0.25 || !c.Log.Access {
		t.Errorf("got %+v, %+v, %v", c.Tracing, c.Log, err)
	}
	c, err = load(t, "holdline.yml", good, nil, nil)
	if err != nil || c.Tracing.Endpoint != "" || c.Tracing.Ratio != 1 || c.Log.Access {
		t.Errorf("by default: got %+v, %+v, %v", c.Tracing, c.Log, err)
	}
}

func TestImpossibleTracingIsRefused(t *testing.T) {
	for content, want := range map[string]string{
		"{otlp_endpoint: 'collector:4318'}": "tracing.otlp_endpoint",
		"{sample_ratio: 1.5}":               "tracing.sample_ratio",
		"{sample_ratio: -1}":                "tracing.sample_ratio",
	} {
		_, err := load(t, "holdline.yml", good+"tracing: "+content+"\n", nil, nil)
		if err == nil || !strings.HasPrefix(err.Error(), want+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one fault of %s", content, err, want)
		}
	}
}
