package tracking

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/carve-video/carve/car"
)

// A recording has the results of a session with checkpoints: the masks, scores and instances
// of each frame, and the checkpoints by frame.
type recording struct {
	frames      []string
	checkpoints map[int64][]byte
}

// playFrom runs a session over frames, from index first on, and asks for a checkpoint at each
// of them.
func playFrom(t *testing.T, s *Session, frames []*car.Image, first int) recording {
	t.Helper()
	c := recording{frames: make([]string, len(frames)), checkpoints: make(map[int64][]byte)}
	explained := make(map[int64]string)
	s.Tracker.Explain = func(e *Explanation) {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		explained[e.Frame] = string(b)
	}
	take := func(steps []*Step) {
		for _, step := range steps {
			b, err := json.Marshal(struct {
				Result    *car.Result
				Instances []Instance
				Explained string
			}{step.Result, step.Instances, explained[step.Frame]})
			if err != nil {
				t.Fatal(err)
			}
			c.frames[step.Frame] = string(b)
			if step.Checkpoint != nil {
				var file bytes.Buffer
				if _, err := step.Checkpoint.WriteTo(&file); err != nil {
					t.Fatal(err)
				}
				c.checkpoints[step.Frame] = file.Bytes()
			}
			step.Close()
		}
	}
	for i, img := range frames[first:] {
		steps, err := s.NextCheckpoint(t.Context(), img, time.Duration(first+i)*40*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		take(steps)
	}
	take(s.Flush())
	return c
}

// TestCheckpoint: a session that is restored from a checkpoint file gives the masks, scores,
// instances and decisions of an uninterrupted session, to the last bit.
func TestCheckpoint(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	frames := eventfulVideo()
	for name, set := range map[string]func(*Session){
		"defaults": func(s *Session) {
			s.Propagator.Smoothing, s.Propagator.Lookahead = .5, 8
			s.Propagator.InstanceTracker = new(InstanceTracker)
		},
		"live":          func(s *Session) { s.Propagator.Smoothing = .5 },
		"every 3":       func(s *Session) { s.Tracker.Every, s.Propagator.Lookahead = 3, 2 },
		"without state": func(s *Session) { s.Tracker.Stateless = true },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newSession(t, 4, set)
			whole := playFrom(t, s, frames, 0)
			if len(whole.checkpoints) < 8 {
				t.Fatalf("%d checkpoints of %d frames", len(whole.checkpoints), len(frames))
			}
			tried := 0
			for frame, file := range whole.checkpoints { // in random order
				if tried++; tried > 4 {
					break
				}
				k, err := ReadCheckpoint(bytes.NewReader(file))
				if err != nil {
					t.Fatal(err)
				}
				if k.Frame.Frame != frame {
					t.Fatalf("the checkpoint of frame %d says %d", frame, k.Frame.Frame)
				}
				s, _ := newSession(t, 4, set)
				if err := s.Restore(k); err != nil {
					t.Fatal(err)
				}
				rest := playFrom(t, s, frames, int(frame)+1)
				for i := int(frame) + 1; i < len(frames); i++ {
					if d := cmp.Diff(whole.frames[i], rest.frames[i]); d != "" {
						t.Fatalf("restored after frame %d, frame %d is another one:\n%.2000s", frame, i, d)
					}
				}
				for at, file := range rest.checkpoints {
					if !bytes.Equal(file, whole.checkpoints[at]) {
						t.Fatalf("restored after frame %d, the checkpoint of frame %d is another one", frame, at)
					}
				}
			}
		})
	}
}

// checkpointOf returns a checkpoint of some frames of a session with instances.
func checkpointOf(t *testing.T, set func(*Session)) (file []byte) {
	t.Helper()
	s, _ := newSession(t, 4, set)
	for _, file = range playFrom(t, s, eventfulVideo()[:12], 0).checkpoints {
		return file
	}
	t.Fatal("no checkpoint")
	return nil
}

func withInstances(s *Session) { s.Propagator.InstanceTracker = new(InstanceTracker) }

// TestCheckpointMismatch: a checkpoint of other queries, models, settings or sizes is an
// error that says what differs.
func TestCheckpointMismatch(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and has no goroutine of its own")
	}
	file := checkpointOf(t, withInstances)
	for want, c := range map[string]struct {
		n   int
		set func(*Session)
	}{
		"written for 4 queries, and there are 3": {3, nil},
		"every 0, and it is 4 here":              {4, func(s *Session) { s.Tracker.Every = 4 }},
		"lookahead 0, and it is 2 here":          {4, func(s *Session) { s.Propagator.Lookahead = 2 }},
		"instances true, and it is false here":   {4, func(s *Session) { s.Propagator.InstanceTracker = nil }},
		"other tracking parameters of it": {4, func(s *Session) {
			p := DefaultParams()
			p.MissLimit = 3
			s.Params = &p
		}},
		`the query "concept2" at place 3, and there is "other"`: {4, func(s *Session) { s.Tracker.Queries[2] = car.Named("other") }},
		"with another preset": {4, func(s *Session) { setPreset(t, s) }},
	} {
		k, err := ReadCheckpoint(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		s, _ := newSession(t, c.n, func(s *Session) {
			if withInstances(s); c.set != nil {
				c.set(s)
			}
		})
		var mismatch *MismatchError
		if err := s.Restore(k); !errors.As(err, &mismatch) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	k, err := ReadCheckpoint(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	k.Judge[1][0], k.Judge[1][1] = k.Judge[1][1], k.Judge[1][0]
	s, _ := newSession(t, 4, withInstances)
	if err := s.Restore(k); err == nil || !strings.Contains(err.Error(), "other models") {
		t.Errorf("a checkpoint of another judge: %v", err)
	}
	if k, err = ReadCheckpoint(bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	if err := s.Restore(k); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(t.Context(), car.NewImage(32, 32), 0); err == nil {
		t.Error("a frame of another size is taken after a checkpoint")
	}
}

// setPreset gives a session a segmenter with another threshold.
func setPreset(t *testing.T, s *Session) {
	preset := s.Tracker.Segmenter.Preset()
	preset.Theta = .4
	w := &fakeCLIP{names: []string{"concept0", "concept1", "concept2", "concept3"}}
	seg, err := car.New(w, w, preset)
	if err != nil {
		t.Fatal(err)
	}
	s.Tracker.Segmenter = seg
}

// TestDamagedCheckpoint: a file that is no checkpoint, or one that was truncated, changed or
// written by a newer carve, is an error that says so.
func TestDamagedCheckpoint(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and has no goroutine of its own")
	}
	file := checkpointOf(t, withInstances)
	changed := slices.Clone(file)
	changed[len(changed)/2] ^= 0x55
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":    {nil, "is no checkpoint"},
		"text":       {[]byte("hello"), "is no checkpoint"},
		"other JSON": {zipped(t, `{"version":1}`), "is no checkpoint"},
		"newer":      {zipped(t, `{"format":"carve checkpoint","version":2,"w":"?"}`), "has version 2, and this carve reads version 1"},
		"no size":    {zipped(t, `{"format":"carve checkpoint","version":1}`), "damaged"},
		"many lists": {zipped(t, `{"format":"carve checkpoint","version":1,"queries":[`+strings.Repeat("{},", 1<<18)+`{}]}`), "is no checkpoint"},
		"cut off":    {file[:len(file)-20], "damaged"},
		"changed":    {changed, "damaged"},
	} {
		if _, err := ReadCheckpoint(bytes.NewReader(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, damage := range map[string]func(*Checkpoint){
		"a mask of another size":       func(k *Checkpoint) { k.Tracker.Queries[0].Mask = make([]byte, 3) },
		"a template of another size":   func(k *Checkpoint) { k.Tracker.Queries[0].Template = make([]byte, 3) },
		"half a motion":                func(k *Checkpoint) { k.Tracker.V = nil },
		"fewer states":                 func(k *Checkpoint) { k.Tracker.Queries = k.Tracker.Queries[1:] },
		"no histogram":                 func(k *Checkpoint) { k.Motion.Histogram = nil },
		"brightness of another size":   func(k *Checkpoint) { k.Motion.Luma = k.Motion.Luma[1:] },
		"brightness that is none":      func(k *Checkpoint) { k.Motion.Luma[3] = 3e38 },
		"a histogram that is none":     func(k *Checkpoint) { k.Motion.Histogram[3] = -1 },
		"a mask that is none":          func(k *Checkpoint) { k.Propagator.Sources[0].Mask[3] = 1e9 },
		"masks at another size":        func(k *Checkpoint) { k.Tracker.W, k.Tracker.H = k.Tracker.H, k.Tracker.W },
		"a motion":                     func(k *Checkpoint) { k.Tracker.U[7] = 3e38 },
		"a debt":                       func(k *Checkpoint) { k.Tracker.ProbeDebt = -5 },
		"no key frame":                 func(k *Checkpoint) { k.Propagator.KeyLuma = nil },
		"an instance without a number": func(k *Checkpoint) { k.Instances.Tracks[0].ID = 0 },
		"numbers below none":           func(k *Checkpoint) { k.Instances.NextID[0] = -1 },
		"a key frame of another size":  func(k *Checkpoint) { k.Propagator.KeyLuma = k.Propagator.KeyLuma[1:] },
		"a source of no query":         func(k *Checkpoint) { k.Propagator.Sources[0].Query = 4 },
		"a source of another size":     func(k *Checkpoint) { k.Propagator.Sources[0].Mask = nil },
		"no instances":                 func(k *Checkpoint) { k.Instances = nil },
		"owners of another size":       func(k *Checkpoint) { k.Instances.Owners = k.Instances.Owners[2:] },
		"an owner that is not there":   func(k *Checkpoint) { k.Instances.Owners[0] = 200 },
		"an instance of another query": func(k *Checkpoint) { k.Instances.Tracks[0].Query = 9 },
		"an instance that was dropped": func(k *Checkpoint) { k.Instances.Tracks[0] = nil },
	} {
		k, err := ReadCheckpoint(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		damage(k)
		s, _ := newSession(t, 4, withInstances)
		if err := s.Restore(k); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadCheckpoint: reading, restoring and going on neither panic nor hang, whatever is in
// the file.
func FuzzReadCheckpoint(f *testing.F) {
	f.Add([]byte(`{"format":"carve checkpoint","version":1,"frame":{"frame":3,"time_ns":9},"w":144,"h":96}`))
	f.Add([]byte(`{"format":"carve checkpoint","version":1,"w":144,"h":96,"tracker":{"queries":[{"mask":"AAAA"}],"w":1,"h":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := ReadCheckpoint(bytes.NewReader(zipped(t, string(data))))
		if err != nil {
			return
		}
		s, _ := newSession(t, 1, nil)
		// Queries, models and settings are made to match, so that the rest is tested.
		k.Queries, k.Settings = s.Tracker.Queries, s.Tracker.settings
		proposer, judge := s.Tracker.bank.Embeddings()
		k.Proposer, k.Judge = planes(proposer), planes(judge)
		if s.Restore(k) != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s.Next(ctx, paint(square{0, 20, 14, 16}), k.Frame.Time+40*time.Millisecond)
	})
}

func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
