package serve

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/holdfast-pay/holdfast/internal/app"
)

// metrics are the server's numbers for a monitoring system. No label carries
// personal data or the id of a payment.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
}

func newMetrics(a *app.App, lastBackup func() float64) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "holdfast_http_requests_total", Help: "Requests by method and status."}, []string{"method", "status"}),
		seconds:  prometheus.NewHistogram(prometheus.HistogramOpts{Name: "holdfast_http_request_seconds", Help: "Time to answer.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14)}),
	}
	count := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	count("holdfast_commits_total", "Commits of the writer.", func() float64 { return float64(a.StoreStats().Commits) })
	count("holdfast_changes_total", "Changes that were committed; several share a commit.", func() float64 { return float64(a.StoreStats().Functions) })
	count("holdfast_refused_changes_total", "Changes that ended without effect.", func() float64 { return float64(a.StoreStats().Failed) })
	count("holdfast_commit_seconds_total", "Time spent in commits.", func() float64 { return a.StoreStats().CommitTime.Seconds() })
	m.books(a)
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "holdfast_clock_difference_seconds", Help: "By how much this machine's clock is ahead of the database's; not a number where it is not compared.",
	}, func() float64 {
		apart, known := a.ClockDifference()
		if !known {
			return math.NaN()
		}
		return apart.Seconds()
	}))
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "holdfast_backup_timestamp_seconds", Help: "When the youngest periodic backup was made; 0 for none."}, lastBackup))
	return m
}

// scrapeLimit bounds the questions that a scrape asks of the database.
const scrapeLimit = 2 * time.Second

// books are the numbers of the audit. What cannot be asked is not a number.
func (m *metrics) books(a *app.App) {
	gauge := func(name, help string, value func(app.Audited) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
			defer cancel()
			s, err := a.Audited(ctx)
			if err != nil {
				return math.NaN()
			}
			return value(s)
		}))
	}
	gauge("holdfast_books_violations", "Violations of the books that stop payouts; 100 stands for 100 or more.", func(s app.Audited) float64 { return float64(len(s.Open)) })
	gauge("holdfast_books_verified_age_seconds", "Time since all books were last verified whole; not a number before the first time.", func(s app.Audited) float64 {
		if s.Lap.Done.IsZero() {
			return math.NaN()
		}
		return a.Real().Sub(s.Lap.Done).Seconds()
	})
}

// knownMethods bounds the label.
var knownMethods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true}

func (m *metrics) request(method string, status int, took time.Duration) {
	if !knownMethods[method] {
		method = "other"
	}
	m.requests.WithLabelValues(method, strconv.Itoa(status)).Inc()
	m.seconds.Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
