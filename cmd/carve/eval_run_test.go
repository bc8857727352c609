package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/evaluate"
	"github.com/carve-video/carve/internal/stickers"
)

// demoSet returns a data set made of the demo clip. Its car and dog are objects 7 and 12,
// as in Pascal VOC.
func demoSet(t *testing.T, protocol dataset.Protocol) *dataset.Set {
	t.Helper()
	clip, err := democlip.Script()
	if err != nil {
		t.Fatal(err)
	}
	clip.Width, clip.Height = 320, 180
	if err := clip.Initialize(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var paths []string
	var truths []*dataset.Truth
	for n := 0; n < 24; n += 4 {
		img, truth := clip.Frame(n)
		path := filepath.Join(dir, fmt.Sprintf("%05d.jpg", n))
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(jpeg.Encode(f, img, &jpeg.Options{Quality: 95}), f.Close()); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
		truths = append(truths, labelled(truth))
	}
	queries := []car.Query{car.Named("car"), car.Named("dog"), car.Named("pizza")}
	objects := []int{7, 12, 3}
	set := &dataset.Set{Name: "demo", Split: "val", Protocol: protocol, Preset: "stickers", Background: true}
	for range 12 {
		set.Classes = append(set.Classes, "other")
	}
	set.Classes[6], set.Classes[11], set.Classes[2] = "car", "dog", "pizza"
	at := func(i int) func(int) (*dataset.Truth, error) {
		return func(k int) (*dataset.Truth, error) { return truths[i+k], nil }
	}
	switch protocol {
	case dataset.VOS:
		set.Samples = []dataset.Sample{
			{ID: "a", Frames: paths[:3], Queries: queries[:2], Objects: objects, Truth: at(0)},
			{ID: "b", Frames: paths[3:], Queries: queries[1:2], Objects: objects[1:], Truth: at(3)},
		}
	case dataset.Semantic:
		for i, path := range paths {
			set.Samples = append(set.Samples, dataset.Sample{ID: path, Frames: []string{path}, Queries: queries, Objects: objects, Truth: at(i)})
		}
	case dataset.Refer:
		sentences := []car.Query{car.Named("the dog"), car.Named("a dog on the left")}
		for i, path := range paths {
			set.Samples = append(set.Samples, dataset.Sample{ID: path, Frames: []string{path}, Queries: sentences, Objects: []int{12, 12}, Truth: at(i)})
		}
	}
	return set
}

func labelled(truth *stickers.Truth) *dataset.Truth {
	l := &dataset.Truth{W: truth.W, H: truth.H, Labels: make([]uint8, truth.W*truth.H)}
	for i, in := range truth.Mask("dog") {
		if in {
			l.Labels[i] = 12
		}
	}
	for i, in := range truth.Mask("car") {
		if in {
			l.Labels[i] = 7
		}
	}
	return l
}

func evalRun(t *testing.T, args ...string) *evalRunOptions {
	t.Helper()
	var o evalRunOptions
	if err := newEvalRunFlags(&o).Parse(append([]string{"-m", "demo", "--json", "--quiet"}, args...)); err != nil {
		t.Fatal(err)
	}
	return &o
}

// TestEvalRun: the demo model reaches its figure on its own clip with every protocol, and
// a run whose file was truncated continues where it was.
func TestEvalRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: run without -short")
	}
	for _, c := range []struct {
		protocol dataset.Protocol
		figure   func(*evaluate.Summary) float64
		least    float64
	}{
		{dataset.VOS, func(s *evaluate.Summary) float64 { return float64(*s.JF) }, 0.8},
		{dataset.Semantic, func(s *evaluate.Summary) float64 { return float64(*s.With) }, 0.8},
		{dataset.Refer, func(s *evaluate.Summary) float64 { return float64(s.Referring.Mean) }, 0.8},
	} {
		t.Run(string(c.protocol), func(t *testing.T) {
			set := demoSet(t, c.protocol)
			path := filepath.Join(t.TempDir(), "results.jsonl")
			o := evalRun(t, "-o", path, "--dataset", "demo")
			run := func() *evaluate.Summary {
				t.Helper()
				var out bytes.Buffer
				err := o.run(context.Background(), set, &out, io.Discard)
				needsRuntime(t, err)
				if err != nil {
					t.Fatal(err)
				}
				s := new(evaluate.Summary)
				if err := json.Unmarshal(out.Bytes(), s); err != nil {
					t.Fatal(err)
				}
				return s
			}
			first := run()
			if v := c.figure(first); !(v >= c.least && v <= 1) || first.Samples != len(set.Samples) {
				t.Errorf("%d samples, %.3f; want %d and at least %.2f", first.Samples, v, len(set.Samples), c.least)
			}
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			// Truncated within the last line.
			if err := os.WriteFile(path, whole[:len(whole)-9], 0o644); err != nil {
				t.Fatal(err)
			}
			second := run()
			if c.figure(second) != c.figure(first) || second.Samples != first.Samples {
				t.Errorf("continued, it is %.4f over %d samples; in one run %.4f over %d",
					c.figure(second), second.Samples, c.figure(first), first.Samples)
			}
			again, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := bytes.Count(whole, []byte("\n")), bytes.Count(again, []byte("\n")); a != b || a != 1+len(set.Samples) {
				t.Errorf("%d lines in one run, %d if continued, of %d samples", a, b, len(set.Samples))
			}
			// Nothing is left to do: no model is opened, and the figures are printed.
			o.device = "none" // cannot be opened
			if third := run(); c.figure(third) != c.figure(first) {
				t.Error("the second summary has another figure")
			}
			// Other settings, or another kind of file, are not mixed in.
			o = evalRun(t, "-o", path, "--dataset", "demo", "--theta", "0.2")
			if err := o.run(context.Background(), set, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "other settings") {
				t.Errorf("error %v", err)
			}
			if err := os.WriteFile(path, []byte("{}\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := o.run(context.Background(), set, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "another kind of file") {
				t.Errorf("error %v", err)
			}
		})
	}
}
