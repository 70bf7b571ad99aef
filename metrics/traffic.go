package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdline/holdline/internal/fraud"
)

var (
	trafficAlarm = prometheus.NewDesc(prometheus.BuildFQName(namespace, "traffic", "alarm"),
		"1 while the traffic to a calling code is under an alarm: budget or share.", []string{"calling_code", "alarm"}, nil)
	trafficSent = prometheus.NewDesc(prometheus.BuildFQName(namespace, "traffic", "window_codes_sent"),
		"Codes that were sent to a calling code within traffic.window. Of the whole database.", []string{"calling_code"}, nil)
	trafficConfirmed = prometheus.NewDesc(prometheus.BuildFQName(namespace, "traffic", "window_codes_confirmed"),
		"Claims whose code, sent to a calling code within traffic.window, was confirmed. Of the whole database.", []string{"calling_code"}, nil)
)

var alarms = map[fraud.Alarm]string{fraud.AlarmShare: "share", fraud.AlarmBudget: "budget"}

// noCode is the calling code of numbers that have none.
const noCode = "none"

// Traffic shows what a [fraud.Monitor] has found last. It reads nothing by itself.
type Traffic interface {
	Alerts() map[string]fraud.Alert
	Settled() []fraud.Traffic
}

type traffic struct{ Traffic }

// Traffic shows the traffic to each calling code, while it is watched.
func (m *Metrics) Traffic(watch Traffic) { m.registry.MustRegister(traffic{watch}) }

// Describe implements prometheus.Collector.
func (traffic) Describe(to chan<- *prometheus.Desc) {
	to <- trafficAlarm
	to <- trafficSent
	to <- trafficConfirmed
}

// Collect implements prometheus.Collector.
func (t traffic) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, callingCode string, labels ...string) {
		if callingCode == "" {
			callingCode = noCode
		}
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{callingCode}, labels...)...)
	}
	for code, verdict := range t.Alerts() {
		gauge(trafficAlarm, 1, code, alarms[verdict.Alarm])
	}
	for _, settled := range t.Settled() {
		gauge(trafficSent, float64(settled.Sent), settled.CallingCode)
		gauge(trafficConfirmed, float64(settled.Confirmed), settled.CallingCode)
	}
}
