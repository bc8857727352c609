package models

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/tensor"
)

// useBuiltCache makes a test cache built graphs of any size, in a temporary cache.
func useBuiltCache(t *testing.T) (cache string) {
	t.Helper()
	cache = t.TempDir()
	t.Setenv("CARVE_CACHE", cache)
	from := minBuiltSize
	minBuiltSize = 0
	t.Cleanup(func() { minBuiltSize = from })
	return cache
}

// allOutputs returns all outputs of a model for an image and texts.
func allOutputs(t *testing.T, m *Model) []float32 {
	t.Helper()
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	side := 2 * p.PatchSize()
	v, err := p.Encode(t.Context(), noise(side, side, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	maps, err := v.CAM(t.Context(), directions(m, 2))
	if err != nil {
		t.Fatal(err)
	}
	j, err := m.Judge()
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := j.EncodeImages(t.Context(), []*car.Image{noise(j.InputSize(), j.InputSize(), 2)})
	if err != nil {
		t.Fatal(err)
	}
	texts, err := p.EncodeTexts(t.Context(), []string{"a dog", "a red frisbee"})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(v.Feature(), v.Attention(), maps[0], maps[1], vectors[0], texts[0], texts[1])
}

func builtGraphs(t *testing.T, cache string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(cache, "graphs", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

func TestBuiltGraphs(t *testing.T) {
	if testing.Short() {
		t.Skip("it has no goroutines of its own")
	}
	dir := tiny.write(t, tensor.F16, 1)
	plain := allOutputs(t, openTest(t, dir, Options{}))
	cache := useBuiltCache(t)
	if len(builtGraphs(t, cache)) != 0 {
		t.Fatal("the cache is not empty")
	}
	near(t, "first use", allOutputs(t, openTest(t, dir, Options{})), plain, 1e-5)
	built := builtGraphs(t, cache)
	if len(built) != 4 { // text, trunk, cam, classifier
		t.Errorf("built %q", built)
	}
	stamps := map[string]int64{}
	for _, b := range built {
		st, err := os.Stat(filepath.Join(b, "graph.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		stamps[b] = st.ModTime().UnixNano()
	}
	near(t, "second use", allOutputs(t, openTest(t, dir, Options{})), plain, 1e-5)
	for _, b := range builtGraphs(t, cache) {
		if st, err := os.Stat(filepath.Join(b, "graph.onnx")); err != nil || stamps[b] != st.ModTime().UnixNano() {
			t.Errorf("%s was built again (%v)", b, err)
		}
	}

	// The graphs of another precision are added, those of other weights are elsewhere.
	for i, p := range []string{Int8, Float16} {
		first := allOutputs(t, openTest(t, dir, Options{Precision: p}))
		if n := len(builtGraphs(t, cache)); n != 6+2*i {
			t.Errorf("%d graphs after %s, want two more: %q", n, p, builtGraphs(t, cache))
		}
		if again := allOutputs(t, openTest(t, dir, Options{Precision: p})); !slices.Equal(again, first) {
			t.Errorf("%s: the second use gave other numbers", p)
		}
	}
	other := tiny.write(t, tensor.F16, 2)
	if got := allOutputs(t, openTest(t, other, Options{})); slices.Equal(got, plain) {
		t.Error("other weights gave the same numbers")
	}

	// Graphs that were damaged by a crash, a full disk or a user are built again.
	for _, damage := range []func(dir string) error{
		func(dir string) error { return os.Remove(filepath.Join(dir, sealFile)) },
		func(dir string) error { return os.Truncate(filepath.Join(dir, "graph.onnx"), 10) },
		func(dir string) error { // the same length, other bytes
			b, err := os.ReadFile(filepath.Join(dir, "graph.onnx"))
			clear(b)
			return errorsOf(err, os.WriteFile(filepath.Join(dir, "graph.onnx"), b, 0o666))
		},
	} {
		for b := range maps.Keys(stamps) {
			if err := damage(b); err != nil {
				t.Fatal(err)
			}
		}
		near(t, "after damage", allOutputs(t, openTest(t, dir, Options{})), plain, 1e-5)
	}

	// The remains of a killed process are removed after a day.
	home := filepath.Dir(built[0])
	for name, age := range map[string]time.Duration{".old.part-012345": 25 * time.Hour, ".new.part-012345": time.Hour} {
		left := filepath.Join(home, name)
		if err := errorsOf(os.Mkdir(left, 0o755), os.Chtimes(left, time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}

	// A graph of an older builder is removed when the new one is built.
	i := slices.IndexFunc(built, func(b string) bool { return strings.Contains(b, "vision-trunk-fp32") })
	if i < 0 {
		t.Fatalf("no trunk among %q", built)
	}
	old := filepath.Join(filepath.Dir(built[i]), "vision-trunk-fp32-0123456789abcdef")
	if err := os.Rename(built[i], old); err != nil {
		t.Fatal(err)
	}
	allOutputs(t, openTest(t, dir, Options{}))
	if _, err := os.Stat(old); err == nil {
		t.Error("the older graph is still there")
	}
	for name, stays := range map[string]bool{".old.part-012345": false, ".new.part-012345": true} {
		if _, err := os.Stat(filepath.Join(home, name)); (err == nil) != stays {
			t.Errorf("%s: %v, want it there: %v", name, err, stays)
		}
	}

	// Without a cache the model works too, and a warning is logged.
	if err := os.WriteFile(filepath.Join(t.TempDir(), "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CARVE_CACHE", filepath.Join(dir, "config.json"))
	var log strings.Builder
	near(t, "no cache", allOutputs(t, openTest(t, dir, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})), plain, 1e-5)
	if !strings.Contains(log.String(), "cannot be cached") {
		t.Errorf("there is no warning: %s", log.String())
	}
}

// TestGraphsAreBuiltOnce: the graphs that Open built are those that run. A later change of
// the config does not change the outputs.
func TestGraphsAreBuiltOnce(t *testing.T) {
	dir := tiny.write(t, tensor.F16, 1)
	encode := func(m *Model) []float32 {
		p, err := m.Proposer()
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Encode(t.Context(), noise(2*p.PatchSize(), 2*p.PatchSize(), 1))
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		maps, err := v.CAM(t.Context(), directions(m, 1))
		if err != nil {
			t.Fatal(err)
		}
		texts, err := p.EncodeTexts(t.Context(), []string{"a dog"})
		if err != nil {
			t.Fatal(err)
		}
		return slices.Concat(v.Feature(), maps[0], texts[0])
	}
	want := encode(openTest(t, dir, Options{}))
	m := openTest(t, dir, Options{})
	m.config.Vision.Eps, m.config.Text.Eps = 0.5, 0.5
	near(t, "graphs of the model as it was opened", encode(m), want, 1e-6)
	if m.trunk != nil || m.cam != nil || m.text.graph != nil {
		t.Error("a graph stays in memory that will not be loaded")
	}
}

// TestOpenCopiesNoWeights: opening a model does not copy its weights: the memory that it
// allocates does not grow with their size.
func TestOpenCopiesNoWeights(t *testing.T) {
	opened := func(s shape) (allocated, size int64) {
		dir := s.write(t, tensor.F16, 1)
		st, err := os.Stat(filepath.Join(dir, weightsFile))
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		openTest(t, dir, Options{})
		runtime.ReadMemStats(&after)
		return int64(after.TotalAlloc - before.TotalAlloc), st.Size()
	}
	large := tiny
	large.width, large.textWidth = 8*tiny.width, 8*tiny.textWidth
	a, from := opened(tiny)
	b, to := opened(large)
	t.Logf("%d KB for weights of %d KB, %d KB for %d KB", a>>10, from>>10, b>>10, to>>10)
	if b-a > (to-from)/4 {
		t.Errorf("weights that are %d KB larger take %d KB more to open", (to-from)>>10, (b-a)>>10)
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestTextCache(t *testing.T) {
	dir := tiny.write(t, tensor.F32, 1)
	cache := useBuiltCache(t)
	texts := []string{"a dog", "a cat", "ein Hund"}
	encode := func(m *Model, texts ...string) [][]float32 {
		t.Helper()
		v, err := m.text.EncodeTexts(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := openTest(t, dir, Options{})
	want := encode(first, texts...)
	second := openTest(t, dir, Options{})
	if got := encode(second, texts...); !slices.Equal(concat(got), concat(want)) {
		t.Error("cached texts differ")
	}
	if second.text.session != nil {
		t.Error("the encoder was loaded for cached texts")
	}

	// Two processes that write in turn keep each other's texts.
	encode(first, "from the first")
	encode(second, "from the second")
	encode(first, "from the first again")
	third := openTest(t, dir, Options{})
	encode(third, append([]string{"from the first", "from the second", "from the first again"}, texts...)...)
	if third.text.session != nil {
		t.Error("a text was lost between two writers")
	}

	// With a damaged end only its texts are lost, and later texts are cached.
	file := third.text.file
	if filepath.Dir(filepath.Dir(file)) != cache {
		t.Errorf("texts are in %s", file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range [][]byte{b[:len(b)-3], append(slices.Clone(b[:len(b)-1]), b[len(b)-1]^1), append(slices.Clone(b), 0xff, 0xff, 0xff, 0xff, 1), nil} {
		if err := os.WriteFile(file, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		m := openTest(t, dir, Options{})
		near(t, "after damage", concat(encode(m, texts...)), concat(want), 1e-6)
		encode(m, texts[0]+" more")
		again := openTest(t, dir, Options{})
		encode(again, append(texts, texts[0]+" more")...)
		if again.text.session != nil {
			t.Errorf("texts after %d damaged bytes were not cached", len(damaged))
		}
	}

	// Other weights have other texts.
	if got := encode(openTest(t, tiny.write(t, tensor.F32, 2), Options{}), texts...); slices.Equal(concat(got), concat(want)) {
		t.Error("other weights gave the same vectors")
	}
}

// TestEncodeBatch: the features of a batch are those of its images encoded one by one.
func TestEncodeBatch(t *testing.T) {
	for _, name := range []string{"demo", tiny.write(t, tensor.F32, 7)} {
		m := openTest(t, name, Options{})
		one, err := m.Proposer()
		if err != nil {
			t.Fatal(err)
		}
		all := one.(car.BatchProposer)
		w, h := 5*all.PatchSize(), 3*all.PatchSize()
		images := []*car.Image{noise(w, h, 1), noise(w, h, 2), noise(w, h, 3)}
		for range 2 { // the second time in reused memory
			features, err := all.EncodeBatch(t.Context(), images)
			if err != nil {
				t.Fatal(err)
			}
			u := directions(m, 2)
			for i, img := range images {
				v, err := all.Encode(t.Context(), img)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "feature", features[i].Feature(), v.Feature(), 1e-5)
				near(t, "attention", features[i].Attention(), v.Attention(), 1e-6)
				a, err := features[i].CAM(t.Context(), u)
				if err != nil {
					t.Fatal(err)
				}
				b, err := v.CAM(t.Context(), u)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "maps", concat(a), concat(b), 1e-4)
				v.Close()
			}
			for _, v := range features {
				v.Close()
			}
		}
		if p := one.(*proposer); len(p.free) != 2 {
			t.Errorf("%d free batches, want those of one image and of three", len(p.free))
		}
		if _, err := all.EncodeBatch(t.Context(), []*car.Image{images[0], noise(h, w, 1)}); err == nil {
			t.Error("images of two sizes were accepted")
		}
		if v, err := all.EncodeBatch(t.Context(), nil); len(v) != 0 || err != nil {
			t.Errorf("no images: %v, %v", v, err)
		}
	}
}
