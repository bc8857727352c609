package car

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// frames runs the segmenter over n frames like on a video, with all results in the
// memory of res.
func (wd *world) frames(t testing.TB, s *Segmenter, bank *Bank, n int, res *Result) {
	ctx := context.Background()
	img := wd.image()
	for range n {
		encoded, err := s.EncodeImage(ctx, img)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Loop(ctx, encoded, bank)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RefineInto(ctx, encoded, out, res); err != nil {
			t.Fatal(err)
		}
		encoded.Close()
		encoded.Close() // does nothing
	}
}

// TestSteadyMemory: after the first frames no memory is allocated that grows with the
// image, and reused memory does not change the result.
func TestSteadyMemory(t *testing.T) {
	wd := newWorld()
	wd.w, wd.h = 320, 240
	wd.things[2].x1 = 320
	s := wd.segmenter(t, worldPreset())
	s.Threads = 1
	bank, err := s.EmbedQueries(context.Background(), named("dog", "cow", "cat"))
	if err != nil {
		t.Fatal(err)
	}
	var res Result
	wd.frames(t, s, bank, 2, &res)
	first := slices.Clone(res.Labels)
	// The fake models allocate too: their share is measured and subtracted.
	taken := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	models := taken(func() {
		img := wd.image()
		for range 4 {
			features, _ := worldProposer{wd}.Encode(context.Background(), img)
			features.Attention()
		}
	})
	all := taken(func() { wd.frames(t, s, bank, 4, &res) })
	if extra, plane := int64(all)-int64(models), int64(wd.w*wd.h); extra > 4*plane {
		t.Errorf("%d bytes a frame of %d pixels", extra/4, plane)
	}
	if !slices.Equal(first, res.Labels) {
		t.Error("the same image gives another result in reused memory")
	}
}

// TestSizesMix: a segmenter takes images and sets of queries of any size in turn.
func TestSizesMix(t *testing.T) {
	wd := newWorld()
	s := wd.segmenter(t, worldPreset())
	var res Result
	for i, w := range []int{96, 200, 96, 120, 90} {
		wd.w = w
		queries := named("dog", "cat", "cow", "pig")[:1+i%4]
		bank, err := s.EmbedQueries(context.Background(), queries)
		if err != nil {
			t.Fatal(err)
		}
		wd.frames(t, s, bank, 1, &res)
		fresh, err := wd.segmenter(t, worldPreset()).Segment(context.Background(), wd.image(), queries)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fresh, &res); diff != "" {
			t.Errorf("the result of image %d differs from that of a new segmenter:\n%s", i, diff)
		}
	}
}

// TestThreads: the number of threads changes the last bits of the heat at most, and
// no label.
func TestThreads(t *testing.T) {
	wd := newWorld()
	var want *Result
	for threads := 1; threads <= 5; threads++ {
		s := wd.segmenter(t, worldPreset())
		s.Threads = threads
		got, err := s.Segment(context.Background(), wd.image(), named("dog", "cat", "cow"))
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(want.Labels, got.Labels) || len(want.Stages) != len(got.Stages) {
			t.Errorf("%d threads give another label map", threads)
		}
	}
}

// TestRefineConcurrent: one frame is refined while the loop runs on the next, as in
// the pipeline. It is meant for the race detector.
func TestRefineConcurrent(t *testing.T) {
	wd := newWorld()
	s := wd.segmenter(t, worldPreset())
	ctx := context.Background()
	bank, err := s.EmbedQueries(ctx, named("dog", "cat", "cow"))
	if err != nil {
		t.Fatal(err)
	}
	type job struct {
		encoded *EncodedImage
		out     *Outcome
	}
	jobs := make(chan job, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		for j := range jobs {
			res, err := s.Refine(ctx, j.encoded, j.out)
			if err != nil || len(res.Found) != 2 {
				t.Errorf("found %v, error %v", foundIn(res), err)
			}
			j.encoded.Close()
		}
	})
	for range 6 {
		encoded, err := s.EncodeImage(ctx, wd.image())
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Loop(ctx, encoded, bank)
		if err != nil {
			t.Fatal(err)
		}
		jobs <- job{encoded, out}
	}
	close(jobs)
	wg.Wait()
	if wd.encodes != wd.closes {
		t.Errorf("%d Features were opened and %d closed", wd.encodes, wd.closes)
	}
}
