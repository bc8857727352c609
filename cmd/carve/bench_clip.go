package main

import (
	"cmp"
	"context"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/models/demo"
)

// The number of frames that are segmented where the whole clip would take too long:
// models of real size take seconds for a frame on a few cores.
const (
	benchFrames      = 24 // its first second
	benchFramesQuick = 6
)

// measureClip segments the built-in clip as carve demo does.
func (b *bench) measureClip(ctx context.Context) error {
	// Each run opens its own models, so ours are closed. The peak memory is then that of
	// the runs, without that of opening models before.
	b.close()
	b.report.PeakMemory = peakMemory()
	resetPeakMemory()
	memories := []string{"off", "on"}
	if b.o.compat {
		memories = memories[:1] // --compat has no memory
	}
	var limit int64
	switch known := b.o.model == demo.Name; {
	case b.o.quick && !known:
		limit = benchFramesQuick
	case b.o.quick || !known:
		limit = benchFrames
	}
	runs := make([][]*summary, len(memories))
	budget := 20 * time.Second
	if b.o.quick {
		budget = 0
	}
	from := time.Now()
	for n := 0; n == 0 || n < 3 && time.Since(from) < budget; n++ {
		for i, memory := range memories {
			o := defaultOptions()
			o.runOptions, o.queries = b.o.runOptions, democlip.Queries
			o.input, o.output, o.overwrite = b.clip, filepath.Join(b.dir, "overlay.mp4"), true
			o.memory, o.limit, o.quiet, o.progress = memory, limit, true, "none"
			if err := ctx.Err(); err != nil {
				return err
			}
			s, err := segment(o, io.Discard, b.stderr)
			if err != nil {
				return err
			}
			runs[i] = append(runs[i], s)
		}
	}
	for i, memory := range memories {
		slices.SortFunc(runs[i], func(a, b *summary) int { return cmp.Compare(a.Elapsed, b.Elapsed) })
		s := runs[i][len(runs[i])/2]
		row := benchClip{Memory: memory, Frames: s.Frames, Time: s.Elapsed, FPS: float64(s.Frames) / s.Elapsed}
		for _, st := range s.Stages {
			row.Stages = append(row.Stages, benchStage{
				Name: st.Name, PerFrame: st.Busy / float64(max(st.Frames, 1)),
				Busy: st.Busy / s.Elapsed, Waiting: st.Waiting / s.Elapsed, Blocked: st.Blocked / s.Elapsed, Queue: st.Queue,
			})
		}
		b.report.Clip = append(b.report.Clip, row)
	}
	b.report.ClipMemory = peakMemory()
	return b.open()
}
