package models

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/internal/tensor"
)

// sealedModel is a model whose graphs have their weights in a separate file.
var sealedModel = func() shape {
	s := tiny
	s.width, s.heads, s.textWidth = 192, 3, 128
	return s
}()

// TestDamagedGraphs: damage that does not change the length is found, logged and repaired.
func TestDamagedGraphs(t *testing.T) {
	dir := sealedModel.write(t, tensor.F16, 7)
	cache := useBuiltCache(t)
	// One role is enough: all graphs are opened the same way.
	judged := func(m *Model) []float32 {
		t.Helper()
		j, err := m.Judge()
		if err != nil {
			t.Fatal(err)
		}
		v, err := j.EncodeImages(t.Context(), []*car.Image{noise(j.InputSize(), j.InputSize(), 2)})
		if err != nil {
			t.Fatal(err)
		}
		return v[0]
	}
	want := judged(openTest(t, dir, Options{}))
	flip := func(file string, at func(size int) int) func(string) error {
		return func(dir string) error {
			path := filepath.Join(dir, file)
			b, err := os.ReadFile(path)
			if err != nil || len(b) == 0 {
				return err
			}
			b[at(len(b))] ^= 0x10
			return os.WriteFile(path, b, 0o666)
		}
	}
	start := func(int) int { return 0 }
	middle := func(n int) int { return n / 2 }
	end := func(n int) int { return n - 1 }
	for name, damage := range map[string]func(dir string) error{
		"start of the weights":  flip(weightsOfGraph, start),
		"middle of the weights": flip(weightsOfGraph, middle),
		"end of the weights":    flip(weightsOfGraph, end),
		"middle of the graph":   flip(graphFile, middle),
		"end of the graph":      flip(graphFile, end),
		"the seal":              flip(sealFile, middle),
		"weights of zeros": func(dir string) error {
			path := filepath.Join(dir, weightsOfGraph)
			st, err := os.Stat(path)
			if err != nil {
				return err
			}
			return errors.Join(os.Truncate(path, 0), os.Truncate(path, st.Size()))
		},
		"weights that are a link to a device": func(dir string) error {
			path := filepath.Join(dir, weightsOfGraph)
			return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path))
		},
		"no weights":   func(dir string) error { return os.Remove(filepath.Join(dir, weightsOfGraph)) },
		"another seal": func(dir string) error { return os.WriteFile(filepath.Join(dir, sealFile), []byte(`{}`), 0o666) },
	} {
		for _, b := range builtGraphs(t, cache) {
			if err := damage(b); err != nil {
				t.Fatal(err)
			}
		}
		var log strings.Builder
		m := openTest(t, dir, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if got := judged(m); !slices.Equal(got, want) {
			t.Errorf("%s: other numbers", name)
		}
		if strings.Contains(name, "of the") && !strings.Contains(log.String(), "damaged") {
			t.Errorf("%s: there is no warning: %s", name, log.String())
		}
		for _, b := range builtGraphs(t, cache) {
			if s, err := readSeal(b); err != nil || s.check(b, graphFile) != nil || s.check(b, weightsOfGraph) != nil {
				t.Errorf("%s: %s was not repaired (%v)", name, b, err)
			}
		}
	}
}

// TestOpenSealed: a session with damaged weights is closed, whether it could be loaded or
// not.
func TestOpenSealed(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, graphFile), []byte("graph"), 0o666),
		os.WriteFile(filepath.Join(dir, weightsOfGraph), []byte("weights"), 0o666), writeSeal(dir)); err != nil {
		t.Fatal(err)
	}
	loaded := 0
	load := func() (*ort.Session, error) { loaded++; return &ort.Session{}, nil }
	if s, err := openSealed(dir, load); s == nil || err != nil || loaded != 1 {
		t.Errorf("whole: %v, %v", s, err)
	}
	refused := errors.New("refused")
	if _, err := openSealed(dir, func() (*ort.Session, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("refused: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, weightsOfGraph), []byte("WEIGHTS"), 0o666); err != nil {
		t.Fatal(err)
	}
	if s, err := openSealed(dir, load); s != nil || err == nil || !strings.Contains(err.Error(), weightsOfGraph) {
		t.Errorf("damaged weights: %v, %v", s, err)
	}
	if err := os.WriteFile(filepath.Join(dir, graphFile), []byte("GRAPH"), 0o666); err != nil {
		t.Fatal(err)
	}
	loaded = 0
	if s, err := openSealed(dir, load); s != nil || err == nil || loaded != 0 || !strings.Contains(err.Error(), graphFile) {
		t.Errorf("a damaged graph: %v, %v, loaded %d times", s, err, loaded)
	}
}

// FuzzSeal: for any content of a seal, a folder is complete only if it matches the seal.
func FuzzSeal(f *testing.F) {
	f.Add([]byte(`{"graph.onnx":{"size":5,"crc32c":1},"graph.weights":{"size":7,"crc32c":2}}`))
	f.Add([]byte(`{"graph.onnx":{"size":5},"graph.weights":{"size":7},"../../etc/passwd":{"size":1}}`))
	f.Add([]byte(`{"graph.onnx":null,"graph.weights":{"size":-7}}`))
	f.Add([]byte(`[]`))
	dir := f.TempDir()
	for name, text := range map[string]string{graphFile: "graph", weightsOfGraph: "weights"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, sealFile), b, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := readSeal(dir)
		if isComplete(dir) && (err != nil || s[graphFile].Size != 5 || s[weightsOfGraph].Size != 7) {
			t.Fatalf("%q seals a graph", b)
		}
	})
}
