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

// groups is a world that looks at several pictures in one go, and notes how many.
type groups struct {
	*world
	sizes []int
	err   error
}

func (g *groups) EncodeBatch(ctx context.Context, images []*car.Image) ([]car.Features, error) {
	if g.err != nil {
		return nil, g.err
	}
	g.sizes = append(g.sizes, len(images))
	var views []car.Features
	for _, img := range images {
		v, _ := g.Encode(ctx, img)
		views = append(views, v)
	}
	return views, nil
}

// newLooker is a session with a Looker, in a world that sees in groups.
func newLooker(t *testing.T, batch int, set func(*Session)) (*Session, *Prefetcher, *groups) {
	t.Helper()
	g := &groups{}
	s, w := newSession(t, 4, set)
	g.world = w
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

// ahead plays a film with a Looker between Watcher and Tracker.
func ahead(t *testing.T, s *Session, l *Prefetcher, film []*car.Image) (out []string, looked int) {
	t.Helper()
	take := func(sights []*Analysis, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, sight := range sights {
			was := sight.encoded != nil
			step, err := s.Tracker.Step(t.Context(), sight)
			if err != nil {
				t.Fatal(err)
			}
			if was {
				if looked++; !step.Key {
					t.Errorf("frame %d was looked at, and is no key frame", step.Frame)
				}
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
	for i, img := range film {
		take(l.Next(t.Context(), s.Motion.Analyze(img, time.Duration(i)*40*time.Millisecond)))
	}
	take(l.Flush(t.Context()))
	for _, step := range s.Flush() {
		out = append(out, fmt.Sprint(step.Frame, step.Key, step.Present, step.Judgements, step.Result.Labels))
		step.Close()
	}
	return out, looked
}

// Looking ahead changes nothing but when the trunk runs: it is never run for nothing,
// and ahead for every frame of which that can be known.
func TestLooksAhead(t *testing.T) {
	pictures := film()[:44] // with a cut in frame 40
	for i := 30; i < 32; i++ {
		pictures[i] = car.NewImage(worldW, worldH) // and a blank
	}
	if testing.Short() {
		pictures = pictures[24:]
	}
	for name, c := range map[string]struct {
		set func(*Tracker)
		all bool // looks are ahead
	}{
		"stateless": {func(t *Tracker) { t.Stateless = true }, true},
		"every 1":   {func(t *Tracker) { t.Every = 1 }, true},
		"every 3":   {func(t *Tracker) { t.Every = 3 }, true},
		"auto":      {func(t *Tracker) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			set := func(s *Session) { c.set(&s.Tracker) }
			plain, _, w := newLooker(t, 0, set)
			var want []string
			for i, img := range pictures {
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
				s, l, g := newLooker(t, batch, set)
				got, looked := ahead(t, s, l, pictures)
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("in groups of %d: something else comes out", batch)
				}
				if g.looks != w.looks || g.open != 0 {
					t.Errorf("in groups of %d: %d looks, want %d; %d views are left open", batch, g.looks, w.looks, g.open)
				}
				if c.all && looked != g.looks || looked == 0 {
					t.Errorf("in groups of %d: %d of %d looks were ahead", batch, looked, g.looks)
				}
				if most := slices.Max(g.sizes); most > max(batch, 1) || name == "stateless" && most != max(batch, 1) {
					t.Errorf("in groups of %d: looked at in groups of %v", batch, g.sizes)
				}
			}
		})
	}
}

// What was looked at and is not wanted any more gives its memory back.
func TestLookForNothing(t *testing.T) {
	s, l, g := newLooker(t, 3, func(s *Session) { s.Tracker.Stateless = true })
	var sights []*Analysis
	for i, img := range film()[:4] {
		done, err := l.Next(t.Context(), s.Motion.Analyze(img, time.Duration(i)*40*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		sights = append(sights, done...)
	}
	if len(sights) != 3 || g.open != 3 {
		t.Fatalf("%d sights went on, %d views are open", len(sights), g.open)
	}
	for _, sight := range sights {
		sight.Close()
	}
	if g.open != 0 {
		t.Errorf("%d views are left open", g.open)
	}
	g.err = errors.New("no more")
	rest, err := l.Flush(t.Context())
	if !errors.Is(err, g.err) || len(rest) != 1 {
		t.Errorf("failing to look: %v, and %d sights", err, len(rest))
	}
	if rest, err = l.Flush(t.Context()); err != nil || len(rest) != 0 {
		t.Errorf("after that: %v, and %d sights", err, len(rest))
	}
}
