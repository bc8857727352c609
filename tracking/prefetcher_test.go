package tracking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/carve-video/carve/car"
)

// A batchCLIP is a fakeCLIP that encodes several images in one batch.
type batchCLIP struct {
	*fakeCLIP
	sizes []int // of the batches so far
	err   error // returned instead of encoding
}

func (g *batchCLIP) EncodeBatch(ctx context.Context, images []*car.Image) ([]car.Features, error) {
	if g.err != nil {
		return nil, g.err
	}
	g.sizes = append(g.sizes, len(images))
	var features []car.Features
	for _, img := range images {
		v, _ := g.Encode(ctx, img)
		features = append(features, v)
	}
	return features, nil
}

// newPrefetcher returns a session and a Prefetcher on a batchCLIP.
func newPrefetcher(t *testing.T, batch int, set func(*Session)) (*Session, *Prefetcher, *batchCLIP) {
	t.Helper()
	g := &batchCLIP{}
	s, w := newSession(t, 4, set)
	g.fakeCLIP = w
	seg, err := car.New(g, g, s.Tracker.Segmenter.Preset())
	if err != nil {
		t.Fatal(err)
	}
	s.Tracker.Segmenter = seg
	if err := s.Initialize(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, &Prefetcher{Segmenter: seg, Stateless: s.Tracker.Stateless, Every: s.Tracker.Every, Batch: batch}, g
}

// playPrefetched runs frames through a session with a Prefetcher behind its
// MotionAnalyzer. It returns a line per frame, and how many frames were prefetched.
func playPrefetched(t *testing.T, s *Session, l *Prefetcher, frames []*car.Image) (out []string, prefetched int) {
	t.Helper()
	take := func(analyses []*Analysis, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range analyses {
			isPrefetched := a.encoded != nil
			step, err := s.Tracker.Step(t.Context(), a, func(context.Context) (float64, error) { return s.carriedIoU, nil })
			if err != nil {
				t.Fatal(err)
			}
			if isPrefetched {
				if prefetched++; !step.Key {
					t.Errorf("frame %d was prefetched, and is no key frame", step.Frame)
				}
			}
			if step.Key {
				s.carriedIoU, _ = s.Propagator.Refine(t.Context(), step)
			}
			done, err := s.Propagator.Next(t.Context(), step)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range done {
				out = append(out, fmt.Sprint(step.Frame, step.Key, step.Present, step.Judgements, step.Result.Labels))
				step.Close()
			}
		}
	}
	for i, img := range frames {
		take(l.Next(t.Context(), s.Motion.Analyze(img, time.Duration(i)*40*time.Millisecond)))
	}
	take(l.Flush(t.Context()))
	for _, step := range s.Flush() {
		out = append(out, fmt.Sprint(step.Frame, step.Key, step.Present, step.Judgements, step.Result.Labels))
		step.Close()
	}
	return out, prefetched
}

// TestPrefetch: prefetching changes nothing but when the trunk runs. It encodes only key
// frames, and all of those that are certain beforehand.
func TestPrefetch(t *testing.T) {
	frames := eventfulVideo()[:44] // with a cut at frame 40
	for i := 30; i < 32; i++ {
		frames[i] = car.NewImage(frameW, frameH) // blank frames
	}
	if testing.Short() {
		frames = frames[24:]
	}
	for name, c := range map[string]struct {
		set func(*Tracker)
		all bool // all key frames are prefetched
	}{
		"stateless": {func(t *Tracker) { t.Stateless = true }, true},
		"every 1":   {func(t *Tracker) { t.Every = 1 }, true},
		"every 3":   {func(t *Tracker) { t.Every = 3 }, true},
		"auto":      {func(t *Tracker) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "auto" {
				t.Skip("one is enough for the race detector")
			}
			set := func(s *Session) { c.set(&s.Tracker) }
			plain, _, w := newPrefetcher(t, 0, set)
			var want []string
			for i, img := range frames {
				steps, err := plain.Next(t.Context(), img, time.Duration(i)*40*time.Millisecond)
				if err != nil {
					t.Fatal(err)
				}
				for _, step := range steps {
					want = append(want, fmt.Sprint(step.Frame, step.Key, step.Present, step.Judgements, step.Result.Labels))
					step.Close()
				}
			}
			for _, batch := range []int{0, 4} {
				s, l, g := newPrefetcher(t, batch, set)
				got, prefetched := playPrefetched(t, s, l, frames)
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("batches of %d: the results differ", batch)
				}
				if g.encoded != w.encoded || g.open != 0 {
					t.Errorf("batches of %d: %d frames encoded, want %d; %d features are left open", batch, g.encoded, w.encoded, g.open)
				}
				if c.all && prefetched != g.encoded || prefetched == 0 {
					t.Errorf("batches of %d: %d of %d key frames were prefetched", batch, prefetched, g.encoded)
				}
				if most := slices.Max(g.sizes); most > max(batch, 1) || name == "stateless" && most != max(batch, 1) {
					t.Errorf("batches of %d: the batches were %v", batch, g.sizes)
				}
			}
		})
	}
}

// TestPrefetchedIsReleased: closing an analysis releases its prefetched image.
func TestPrefetchedIsReleased(t *testing.T) {
	s, l, g := newPrefetcher(t, 3, func(s *Session) { s.Tracker.Stateless = true })
	var analyses []*Analysis
	for i, img := range eventfulVideo()[:4] {
		done, err := l.Next(t.Context(), s.Motion.Analyze(img, time.Duration(i)*40*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		analyses = append(analyses, done...)
	}
	if len(analyses) != 3 || g.open != 3 {
		t.Fatalf("%d analyses returned, %d features are open", len(analyses), g.open)
	}
	for _, a := range analyses {
		a.Close()
	}
	if g.open != 0 {
		t.Errorf("%d features are left open", g.open)
	}
	g.err = errors.New("no more")
	rest, err := l.Flush(t.Context())
	if !errors.Is(err, g.err) || len(rest) != 1 {
		t.Errorf("encoding failed: %v, and %d analyses", err, len(rest))
	}
	if rest, err = l.Flush(t.Context()); err != nil || len(rest) != 0 {
		t.Errorf("after that: %v, and %d analyses", err, len(rest))
	}
}
