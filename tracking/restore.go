package tracking

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/boundedjson"
)

// maxCheckpoint bounds the JSON of a checkpoint, in bytes. Some 200 masks of 1920×1080 fit.
const maxCheckpoint = 1 << 30

// maxPlaneSide bounds the width and height of planes that are read.
const maxPlaneSide = 1 << 15

// checkpointFormat identifies a checkpoint among other JSON files.
const checkpointFormat = "carve checkpoint"

type checkpointFile struct {
	Format string `json:"format"`
	Checkpoint
}

// ErrNoCheckpoint is the error for a file that is no checkpoint at all.
var ErrNoCheckpoint = errors.New("is no checkpoint")

// WriteTo writes a checkpoint as compressed JSON.
func (k *Checkpoint) WriteTo(w io.Writer) (n int64, err error) {
	counted := &countingWriter{w: w}
	// Masks are mostly zeros, for which the fastest level is enough.
	z, err := gzip.NewWriterLevel(counted, gzip.BestSpeed)
	if err != nil {
		return 0, err
	}
	if err := json.NewEncoder(z).Encode(checkpointFile{checkpointFormat, *k}); err != nil {
		return counted.n, fmt.Errorf("writing a checkpoint: %w", err)
	}
	if err := z.Close(); err != nil {
		return counted.n, fmt.Errorf("writing a checkpoint: %w", err)
	}
	return counted.n, nil
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// ReadCheckpoint reads what WriteTo wrote. It fails if the file is truncated or damaged, or
// has another version.
func ReadCheckpoint(r io.Reader) (*Checkpoint, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("reading a checkpoint: it %w", ErrNoCheckpoint)
	}
	data, err := io.ReadAll(io.LimitReader(z, maxCheckpoint+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading a checkpoint: it is damaged: %w", err)
	case len(data) > maxCheckpoint:
		return nil, fmt.Errorf("reading a checkpoint: it is larger than %d MiB", maxCheckpoint>>20)
	}
	limits := boundedjson.Limits{Bytes: maxCheckpoint, Depth: 8, Count: 1 << 17}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := limits.Unmarshal(data, &head); err != nil || head.Format != checkpointFormat {
		return nil, fmt.Errorf("reading a checkpoint: it %w", ErrNoCheckpoint)
	}
	if head.Version != CheckpointVersion {
		return nil, fmt.Errorf("reading a checkpoint: its format has version %d, and this carve reads version %d", head.Version, CheckpointVersion)
	}
	var file checkpointFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("reading a checkpoint: it is damaged: %w", err)
	}
	k := &file.Checkpoint
	if k.W <= 0 || k.H <= 0 || k.W > maxPlaneSide || k.H > maxPlaneSide || k.Frame.Frame < 0 || k.Frame.Frame == math.MaxInt64 {
		return nil, fmt.Errorf("reading a checkpoint: it is damaged: frame %d of %dx%d", k.Frame.Frame, k.W, k.H)
	}
	return k, nil
}

// A MismatchError says that a checkpoint does not belong to a session.
type MismatchError struct{ Reason string }

func (e *MismatchError) Error() string { return "restoring a checkpoint: " + e.Reason }

// Numbered returns queries with the IDs that they have in the checkpoint. If they differ
// from those of the checkpoint in meaning, label or order, the error is a [MismatchError].
func (k *Checkpoint) Numbered(queries []car.Query) ([]car.Query, error) {
	if len(queries) != len(k.Queries) {
		return nil, &MismatchError{fmt.Sprintf("it was written for %d queries, and there are %d", len(k.Queries), len(queries))}
	}
	numbered := append([]car.Query(nil), queries...)
	for i := range queries {
		before := &k.Queries[i]
		if queries[i].Label != before.Label || !queries[i].SameMeaning(before) {
			return nil, &MismatchError{fmt.Sprintf("it was written for the query %q at place %d, and there is %q", before.Label, i+1, queries[i].Label)}
		}
		numbered[i].ID = before.ID
	}
	return numbered, nil
}

// Restore makes an initialized session go on after the last frame of a checkpoint: the next
// frame that it takes is the one after it. If the checkpoint has other queries, models or
// settings, the error is a [MismatchError], and the session is unchanged.
func (s *Session) Restore(k *Checkpoint) error {
	if err := s.matches(k); err != nil {
		return err
	}
	for _, restore := range []func() error{
		func() error { return s.Tracker.restore(&k.Tracker, k.W, k.H) },
		func() error { return s.Motion.restore(k) },
		func() error { return s.Propagator.restore(k) },
	} {
		if err := restore(); err != nil {
			return fmt.Errorf("restoring a checkpoint: it is damaged: %w", err)
		}
	}
	s.w, s.h = k.W, k.H
	return nil
}

// matches returns an error if a checkpoint was not written by a session like this one.
func (s *Session) matches(k *Checkpoint) error {
	queries, err := k.Numbered(s.Tracker.Queries)
	if err != nil {
		return err
	}
	for i, q := range queries {
		if q.ID != s.Tracker.Queries[i].ID {
			return &MismatchError{fmt.Sprintf("the query %q has the ID %d there, and %d here", q.Label, q.ID, s.Tracker.Queries[i].ID)}
		}
	}
	proposer, judge := s.Tracker.bank.Embeddings()
	if !sameVectors(k.Proposer, proposer) || !sameVectors(k.Judge, judge) {
		return &MismatchError{"it was written with other models, or in another precision"}
	}
	settings := s.Tracker.settings
	p := &s.Propagator
	settings.Smoothing, settings.Lookahead, settings.Instances = p.Smoothing, p.Lookahead, p.InstanceTracker != nil
	return settings.difference(&k.Settings)
}

// difference returns an error that names the first setting that is not the same.
func (s *Settings) difference(before *Settings) error {
	a, b := reflect.ValueOf(*s), reflect.ValueOf(*before)
	for i := range a.NumField() {
		name, here, there := a.Type().Field(i).Tag.Get("json"), a.Field(i).Interface(), b.Field(i).Interface()
		if here == there {
			continue
		}
		if name == "preset" || name == "params" {
			return &MismatchError{fmt.Sprintf("it was written with another preset, or with other %s of it", map[string]string{"preset": "values", "params": "tracking parameters"}[name])}
		}
		return &MismatchError{fmt.Sprintf("it was written with %s %v, and it is %v here", name, there, here)}
	}
	return nil
}

// sameVectors reports whether unit vectors come from the same model, on whatever machine.
func sameVectors(a []plane, b [][]float32) bool {
	const tolerance = 1e-4 // of the cosine; int8 moves it by more, threads and devices by less
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) != len(b[i]) {
			return false
		}
		dot := 0.0
		for j, v := range a[i] {
			dot += float64(v) * float64(b[i][j])
		}
		if dot < 1-tolerance {
			return false
		}
	}
	return true
}
