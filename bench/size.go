package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// calm is how long a server is left alone before it counts as being at rest.
const calm = 2 * time.Second

// size measures memory, starts and the program itself.
func size(ctx context.Context, b *bench) error {
	dir, err := b.folder(ctx, "size")
	if err != nil {
		return err
	}
	t := newTable("size", "found", "aim")
	if err := b.memory(ctx, dir, t); err != nil {
		return err
	}
	var starts []time.Duration
	for range b.starts {
		s, err := b.start(ctx, dir)
		if err != nil {
			return err
		}
		starts = append(starts, s.ready)
		if err := errors.Join(s.stop(), s.complaints()); err != nil {
			return err
		}
	}
	t.row(fmt.Sprintf("from exec to ready, median of %d", len(starts)), ms(median(starts)), "< 150 ms")
	t.row("from exec to ready, slowest", ms(quantile(starts, 1)), "")
	if err := b.programs(ctx, t); err != nil {
		return err
	}
	b.say("%s", t)
	return nil
}

// memory measures a fresh server at rest, under load, and at rest again.
func (b *bench) memory(ctx context.Context, dir string, t *table) error {
	s, err := b.start(ctx, dir)
	if err != nil {
		return err
	}
	err = b.memoryOf(ctx, s, dir, t)
	return errors.Join(err, s.stop(), s.complaints())
}

func (b *bench) memoryOf(ctx context.Context, s *server, dir string, t *table) error {
	pause(calm)
	idle, err := s.status("VmRSS")
	if err != nil {
		return err
	}
	t.row("memory at rest (resident)", mib(idle), "< 60 MiB")
	clients := b.clients[len(b.clients)-1]
	found, err := hammer(ctx, clients, b.warm, b.span, s.enter)
	if err != nil {
		return err
	}
	highest, err := s.status("VmHWM")
	if err != nil {
		return err
	}
	t.row(fmt.Sprintf("memory at most under %d clients, %d lives", clients, found.all), mib(highest), "")
	if err := owedIn(dir)(ctx); err != nil {
		return err
	}
	pause(calm)
	after, err := s.status("VmRSS")
	if err != nil {
		return err
	}
	t.row("memory at rest after the load", mib(after), "")
	return nil
}

// programs measures the built program, as it is and without what debuggers need.
func (b *bench) programs(ctx context.Context, t *table) error {
	plain, err := os.Stat(b.program)
	if err != nil {
		return err
	}
	stripped := filepath.Join(b.dir, "stripped")
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", stripped, "github.com/holdfast-pay/holdfast/cmd/holdfast").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build a stripped program: %w\n%s", err, out)
	}
	small, err := os.Stat(stripped)
	if err != nil {
		return err
	}
	t.row("program", mib(float64(plain.Size())/(1<<20)), "")
	t.row("program without symbols (-trimpath -ldflags '-s -w')", mib(float64(small.Size())/(1<<20)), "< 45 MiB")
	return nil
}

func mib(m float64) string { return fmt.Sprintf("%.1f MiB", m) }
