package ort

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/onnx"
)

func TestFindLibrary(t *testing.T) {
	touch := func(path string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	find := func() string {
		t.Helper()
		found, err := FindLibrary()
		if err != nil {
			t.Fatal(err)
		}
		return found.Path
	}
	// The test must not depend on whether this machine has a driver.
	drivers := driverFiles
	defer func() { driverFiles = drivers }()
	driverFiles = nil
	dir := t.TempDir()
	for _, v := range []string{"CARVE_ONNXRUNTIME", "CARVE_BUILD_ONNXRUNTIME"} {
		t.Setenv(v, "")
	}
	t.Setenv("CARVE_CACHE", dir)
	touch(filepath.Join(dir, "onnxruntime-1.9.1", "libonnxruntime.so"))
	newest := touch(filepath.Join(dir, "onnxruntime-1.30.0", "libonnxruntime.so"))
	touch(filepath.Join(dir, "onnxruntime-1.4.0", "libonnxruntime.so"))
	if got := find(); got != newest {
		t.Errorf("in the cache: %s, want the newest, %s", got, newest)
	}

	t.Setenv("CARVE_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", dir)
	xdg := touch(filepath.Join(dir, "carve", "onnxruntime-1.30.0", "libonnxruntime.so"))
	if got := find(); got != xdg {
		t.Errorf("below XDG_CACHE_HOME: %s, want %s", got, xdg)
	}

	tests := touch(filepath.Join(dir, "tests.so"))
	t.Setenv("CARVE_BUILD_ONNXRUNTIME", tests)
	if got := find(); got != tests {
		t.Errorf("the build's: %s, want %s", got, tests)
	}
	old := BuildLibrary
	defer func() { BuildLibrary = old }()
	BuildLibrary = touch(filepath.Join(dir, "linked.so"))
	if got := find(); got != BuildLibrary {
		t.Errorf("linked in: %s, want %s", got, BuildLibrary)
	}

	// The library installed with the program has priority over that of the build.
	real := executable
	defer func() { executable = real }()
	executable = func() (string, error) { return filepath.Join(dir, "usr", "bin", "carve"), nil }
	if got := find(); got != BuildLibrary {
		t.Errorf("not installed: %s, want %s", got, BuildLibrary)
	}
	installed := touch(filepath.Join(dir, "usr", "lib", "carve", "libonnxruntime.so"))
	if got := find(); got != installed {
		t.Errorf("installed: %s, want %s", got, installed)
	}
	executable = real

	// The GPU build is used if there is a driver, with its preloads.
	gpu := filepath.Join(dir, "carve", "onnxruntime-1.30.0-cuda")
	library, first := touch(filepath.Join(gpu, "lib", "libonnxruntime.so.1")), touch(filepath.Join(gpu, "lib", "first.so"))
	manifest := fmt.Sprintf(`{"name":"cuda","version":"1.30.0","os":%q,"arch":%q,"library":"lib/libonnxruntime.so.1","preload":["lib/first.so"],
		"files":[{"path":"lib/libonnxruntime.so.1","size":0},{"path":"lib/first.so","size":0}]}`, runtime.GOOS, runtime.GOARCH)
	if err := os.WriteFile(filepath.Join(gpu, "carve-manifest.json"), []byte(manifest), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := find(); got != BuildLibrary {
		t.Errorf("without a driver: %s, want %s", got, BuildLibrary)
	}
	driverFiles = []string{filepath.Join(dir, "no driver"), first}
	if found, err := FindLibrary(); err != nil || found.Path != library || !slices.Equal(found.Preload, []string{first}) {
		t.Errorf("with a driver: %+v, %v; want %s and before it %s", found, err, library, first)
	}
	if err := preload([]string{first}); err == nil || !strings.Contains(err.Error(), first) {
		t.Errorf("an empty file was opened as a library: %v", err)
	}

	named := touch(filepath.Join(dir, "named.so"))
	t.Setenv("CARVE_ONNXRUNTIME", named)
	if got := find(); got != named {
		t.Errorf("named: %s, want %s", got, named)
	}

	t.Setenv("CARVE_ONNXRUNTIME", library)
	if found, err := FindLibrary(); err != nil || found.Path != library || !slices.Equal(found.Preload, []string{first}) {
		t.Errorf("named, of carve's own: %+v, %v; want %s and before it %s", found, err, library, first)
	}

	// A path set by the user is never skipped.
	t.Setenv("CARVE_ONNXRUNTIME", filepath.Join(dir, "gone.so"))
	_, err := FindLibrary()
	var missing *NoRuntimeError
	if !errors.Is(err, ErrNoRuntime) || !errors.As(err, &missing) || missing.Hint() == "" {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(err.Error(), "gone.so") || strings.Contains(err.Error(), "linked.so") {
		t.Errorf("error %q", err)
	}
}

func start(t *testing.T) {
	t.Helper()
	if err := Start(); err != nil {
		if errors.Is(err, ErrNoRuntime) && os.Getenv("CI") != "true" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
}

// A graph of all operators that few models use gives the same as NumPy: attributes,
// axes and shapes are encoded correctly.
func TestOperators(t *testing.T) {
	start(t)
	g := onnx.NewGraph("operators")
	x := g.Input("x", onnx.Float32, onnx.Free("R"), onnx.Fixed(3))
	sizes := g.Input("sizes", onnx.Int64, onnx.Fixed(3))
	out := func(name string, v onnx.Value) { g.Output(name, v, onnx.Float32) }
	out("gelu", g.Gelu(x))
	out("erf", g.Erf(x))
	out("exp", g.Exp(g.Neg(x)))
	out("norm", g.Norm(x, -1))
	out("mean", g.Mean(x, 0))
	out("softmax", g.Softmax(x))
	out("tail", g.Slice(x, 1, 1, onnx.End))
	out("head", g.Head(x, g.Side(x, 0), 0, 1))
	parts := g.Split(x, 0, sizes, 3)
	out("split", g.Concat(0, parts[2], parts[1], parts[0]))
	out("layer norm", g.LayerNorm(x, g.Floats([]float32{1, 1, 2}, 3), g.Floats([]float32{0, 0, 1}, 3), 1e-5))
	model, err := g.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(g.Name(), model, g.Inputs(), g.Outputs(), Options{Threads: 1, Device: "cpu"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Device() != "cpu" {
		t.Errorf("device %q", s.Device())
	}
	in := []float32{-1, 0, 2, 3, 4, 0}
	want := map[string][]float32{
		"gelu":       {-0.158655, 0, 1.954500, 2.995950, 3.999873, 0},
		"erf":        {-0.842701, 0, 0.995322, 0.999978, 1, 0},
		"exp":        {2.718282, 1, 0.135335, 0.049787, 0.018316, 1},
		"norm":       {2.236068, 5},
		"mean":       {1, 2, 1},
		"softmax":    {0.042010, 0.114195, 0.843795, 0.265388, 0.721399, 0.013213},
		"tail":       {0, 2, 4, 0},
		"head":       {-1, 0, 3, 4},
		"split":      {3, 4, 0, -1, 0, 2},
		"layer norm": {-1.069042, -0.267261, 3.672606, 0.392232, 0.980580, -1.745622},
	}
	shapes := map[string][]int{"norm": {2, 1}, "mean": {1, 3}, "tail": {2, 2}, "head": {2, 2}}
	tensor := func(data []float32, shape ...int) Tensor {
		t.Helper()
		v, err := NewTensor(data, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	sizesTensor, err := NewTensor([]int64{1, 0, 1}, 3) // an empty part is allowed
	if err != nil {
		t.Fatal(err)
	}
	results := map[string][]float32{}
	var outs []Tensor
	for _, name := range g.Outputs() {
		shape := shapes[name]
		if shape == nil {
			shape = []int{2, 3}
		}
		results[name] = make([]float32, shape[0]*shape[1])
		outs = append(outs, tensor(results[name], shape...))
	}
	if err := s.Run(t.Context(), []Tensor{tensor(in, 2, 3), sizesTensor}, outs); err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		got := results[name]
		if len(got) != len(w) {
			t.Errorf("%s: %v, want %v", name, got, w)
			continue
		}
		for i := range w {
			if math.Abs(float64(got[i]-w[i])) > 2e-5 {
				t.Errorf("%s: %v, want %v", name, got, w)
				break
			}
		}
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ended, []Tensor{tensor(in, 2, 3), sizesTensor}, outs); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	err = s.Run(t.Context(), []Tensor{tensor(in[:4], 2, 2), sizesTensor}, outs)
	if err == nil || !strings.Contains(err.Error(), "operators") {
		t.Errorf("with a wrong shape: %v", err)
	}
	if path, version := Library(); path == "" || version == "" {
		t.Errorf("library %q, version %q", path, version)
	}
}

// Weights are found beside the model's file.
func TestExternal(t *testing.T) {
	start(t)
	dir := t.TempDir()
	// 1.5, -2 in half precision, after four other bytes.
	if err := os.WriteFile(filepath.Join(dir, "w"), []byte{9, 9, 9, 9, 0x00, 0x3e, 0x00, 0xc0}, 0o666); err != nil {
		t.Fatal(err)
	}
	build := func(dir string) (*Session, error) {
		g := onnx.NewGraph("external")
		x := g.Input("x", onnx.Float32, onnx.Fixed(2))
		w := g.Initializer("w", onnx.Float16, func() (onnx.Contents, error) {
			return onnx.Contents{At: &onnx.External{File: "w", Offset: 4, Length: 4}}, nil
		}, 2)
		g.Output("y", g.Mul(x, g.Cast(w, onnx.Float32)), onnx.Float32)
		path := filepath.Join(dir, "g.onnx")
		model, err := g.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, model, 0o666); err != nil {
			t.Fatal(err)
		}
		return OpenSession(g.Name(), path, g.Inputs(), g.Outputs(), Options{Threads: 1, Device: "cpu"})
	}
	s, err := build(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x, err := NewTensor([]float32{2, 3}, 2)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float32, 2)
	out, err := NewTensor(y, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), []Tensor{x}, []Tensor{out}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(y, []float32{3, -6}) {
		t.Errorf("y = %v", y)
	}
	if _, err := build(t.TempDir()); err == nil || !strings.Contains(err.Error(), "external") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := NewTensor([]float32{1}, 2); err == nil {
		t.Error("a tensor of the wrong length was made")
	}
}
