package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// soakClients live without a pause.
	soakClients = 8
	// soakSamples is how often a server is looked at, whatever the length.
	soakSamples = 30
	// soakGrowth is by how much the last third of the samples may exceed the middle
	// third before memory counts as growing.
	soakGrowth = 1.10
	// maxSoak bounds the length.
	maxSoak = 24 * time.Hour
)

// sample is what a server holds at one moment.
type sample struct {
	at                          time.Duration
	lives                       int64
	resident, heap              float64 // MiB
	goroutines, files, restless float64 // restless: bytes allocated per life since the sample before
	allocated                   float64
}

// soak loads a server on each engine for a length of time and prints what it
// holds on the way, and whether that grows.
func soak(ctx context.Context, b *bench) error {
	return b.onEngines(ctx, func(ctx context.Context, f *field) (err error) {
		defer func() { err = errors.Join(err, f.close()) }()
		if err := f.overHTTP(ctx, nil); err != nil {
			return err
		}
		return b.soakOne(ctx, f, b.soaking)
	})
}

func (b *bench) soakOne(ctx context.Context, f *field, length time.Duration) error {
	c := f.all[0]
	var samples []sample
	lives := int64(0)
	began := time.Now()
	t := newTable(f.engine, "lives", "resident MiB", "heap MiB", "goroutines", "open files", "KiB allocated/life")
	for len(samples) < soakSamples {
		found, err := c.run(ctx, soakClients, 0, max(length/soakSamples, time.Second))
		if err != nil {
			return err
		}
		lives += found.all
		s, err := look(ctx, f.server)
		if err != nil {
			return err
		}
		s.at, s.lives = time.Since(began), lives
		if n := len(samples); n > 0 {
			s.restless = (s.allocated - samples[n-1].allocated) / float64(max(found.all, 1))
		}
		samples = append(samples, s)
		t.row(s.at.Round(time.Second).String(), strconv.FormatInt(lives, 10), fmt.Sprintf("%.1f", s.resident), fmt.Sprintf("%.1f", s.heap),
			fmt.Sprintf("%.0f", s.goroutines), fmt.Sprintf("%.0f", s.files), fmt.Sprintf("%.0f", s.restless/1024))
	}
	b.say("%s\n%s", t, verdict(samples))
	return nil
}

// verdict compares the last third of the samples with the middle third; the first
// is the time in which caches fill.
func verdict(samples []sample) string {
	third := len(samples) / 3
	var grown []string
	for _, kind := range []struct {
		name string
		of   func(sample) float64
	}{
		{"resident memory", func(s sample) float64 { return s.resident }},
		{"goroutines", func(s sample) float64 { return s.goroutines }},
		{"open files", func(s sample) float64 { return s.files }},
	} {
		var before, after []float64
		for i, s := range samples {
			switch {
			case i >= 2*third:
				after = append(after, kind.of(s))
			case i >= third:
				before = append(before, kind.of(s))
			}
		}
		if middle(after) > middle(before)*soakGrowth {
			grown = append(grown, fmt.Sprintf("%s from %.1f to %.1f", kind.name, middle(before), middle(after)))
		}
	}
	if len(grown) > 0 {
		return "GROWS: " + strings.Join(grown, ", ") + " (medians of the middle and the last third)."
	}
	return fmt.Sprintf("Flat: the last third exceeds the middle third by less than %.0f %%.", (soakGrowth-1)*100)
}

// look reads what a server holds, from /proc and its own metrics.
func look(ctx context.Context, srv *server) (s sample, err error) {
	if s.resident, err = srv.status("VmRSS"); err != nil {
		return s, err
	}
	files, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(srv.cmd.Process.Pid), "fd"))
	if err != nil {
		return s, err
	}
	s.files = float64(len(files))
	numbers, err := srv.metrics(ctx)
	s.heap = numbers["go_memstats_heap_alloc_bytes"] / (1 << 20)
	s.goroutines, s.allocated = numbers["go_goroutines"], numbers["go_memstats_alloc_bytes_total"]
	return s, err
}

// metrics are the server's numbers that have no label.
func (s *server) metrics(ctx context.Context) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.host+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(res.Body)
	err = errors.Join(err, res.Body.Close())
	out := map[string]float64{}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil && !strings.HasPrefix(name, "#") {
			out[name] = n
		}
	}
	return out, err
}
