package models

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/tensor"
)

func TestImport(t *testing.T) {
	cache := useBuiltCache(t)
	dir := tiny.write(t, tensor.F16, 1)
	want := allOutputs(t, openTest(t, dir, Options{}))

	// A folder, under the name of the folder or under another.
	m, err := Import(t.Context(), dir, "mine", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "mine" || len(m.Files) != 5 || m.Weights != weightsFile {
		t.Errorf("manifest %+v", m)
	}
	near(t, "imported", allOutputs(t, openTest(t, "mine", Options{})), want, 1e-5)
	if !slices.Equal(Names(), []string{"demo", "mine"}) {
		t.Errorf("names %q", Names())
	}
	if p, err := Path("mine"); err != nil || p != filepath.Join(cache, "models", "mine") {
		t.Errorf("path %q, %v", p, err)
	}
	if _, err := Import(t.Context(), dir, "mine", Options{}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second time: %v", err)
	}

	// A single checkpoint, with its missing settings, which are stored.
	said := Options{Heads: 2, TextHeads: 1, Activation: quickGELU, Mean: []float32{0.5, 0.5, 0.5}, Std: []float32{0.25, 0.5, 0.5}}
	pt := golden.Dir(t, "models", "micro-g", "micro-g.openai.pt")
	var missing *MissingSettingsError
	if _, err := Import(t.Context(), pt, "", Options{}); !errors.As(err, &missing) {
		t.Errorf("without heads: %v", err)
	}
	if m, err = Import(t.Context(), pt, "", said); err != nil {
		t.Fatal(err)
	}
	if m.Name != "micro-g.openai" || len(m.Files) != 1 {
		t.Errorf("manifest %+v", m)
	}
	if i := openTest(t, m.Name, Options{}).Info(); i.Heads != 2 || i.TextHeads != 1 || i.Mean[0] != 0.5 || i.Std[0] != 0.25 {
		t.Errorf("stored %+v", i)
	}

	for _, name := range []string{"demo", "clip", "../x", "a b", ".hidden", "a/b", "-x"} {
		if _, err := Import(t.Context(), dir, name, Options{}); err == nil {
			t.Errorf("imported as %q", name)
		}
	}
	before := entries(t, Dir())
	broken := tiny.write(t, tensor.F16, 2)
	if err := os.Truncate(filepath.Join(broken, weightsFile), 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(t.Context(), broken, "broken", Options{}); err == nil {
		t.Error("a broken file was imported")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Import(ended, dir, "late", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if after := entries(t, Dir()); !slices.Equal(before, after) {
		t.Errorf("left behind: %q, before %q", after, before)
	}

	// Damage is detected by size and by checksum.
	if known, err := Verify(t.Context(), "mine"); err != nil || !known {
		t.Errorf("verify: %v, %v", known, err)
	}
	weights := filepath.Join(modelDir("mine"), weightsFile)
	b, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	for _, damaged := range [][]byte{b, b[:len(b)-1]} {
		if err := os.WriteFile(weights, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(t.Context(), "mine"); err == nil || !strings.Contains(err.Error(), weightsFile) {
			t.Errorf("a changed byte: %v", err)
		}
	}

	// A folder that the user put there has no checksums.
	if err := os.Symlink(dir, modelDir("linked")); err != nil {
		t.Fatal(err)
	}
	if known, err := Verify(t.Context(), "linked"); known || err != nil {
		t.Errorf("a link: %v, %v", known, err)
	}
	if _, err := ReadManifest("linked"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a manifest: %v", err)
	}
	if known, err := Verify(t.Context(), "demo"); known || err != nil {
		t.Errorf("the built-in one: %v, %v", known, err)
	}

	// Everything cached for a model is removed with it; the target of a link stays.
	sum, err := openTest(t, "linked", Options{}).fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	allOutputs(t, openTest(t, "linked", Options{}))
	if len(entries(t, filepath.Join(cache, "graphs", sum[:16]))) != 4 {
		t.Fatal("nothing was built")
	}
	if err := Remove("linked"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, weightsFile)); err != nil {
		t.Error("the target of the link was removed")
	}
	if len(entries(t, filepath.Join(cache, "graphs", sum[:16]))) != 0 {
		t.Error("the built graphs are still there")
	}
	if _, err := os.Stat(textCachePath(cache, sum)); err == nil {
		t.Error("the texts are still there")
	}
	for _, name := range []string{"mine", m.Name} { // one of them damaged
		if err := Remove(name); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(Names(), []string{"demo"}) || len(entries(t, Dir())) != 0 {
		t.Errorf("left: %q", entries(t, Dir()))
	}
	var unknown *UnknownModelError
	for _, f := range []func() error{
		func() error { return Remove("mine") }, func() error { return Remove("..") },
		func() error { _, err := Path("mine"); return err },
		func() error { _, err := Verify(t.Context(), "mine"); return err },
		func() error { _, err := Pull(t.Context(), "mine", PullOptions{}); return err },
	} {
		if err := f(); !errors.As(err, &unknown) {
			t.Errorf("a model that is not there: %v", err)
		}
	}
	if err := Remove("demo"); err == nil {
		t.Error("the built-in model was removed")
	}
	if _, err := Path("demo"); err == nil {
		t.Error("the built-in model has a folder")
	}
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// addToRegistry adds a model to the registry, with its name and URL.
func addToRegistry(t *testing.T, name, url string, b []byte) Entry {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	sum, err := hashFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e := openAIEntry(name, "a test's", "proposer", "model.pt", int64(len(b)), sum)
	e.URL = url
	old := registry
	registry = append(slices.Clone(registry), e)
	t.Cleanup(func() { registry = old })
	return e
}

// published returns a small checkpoint in OpenAI's published form: the golden TorchScript
// archive. Its sizes and heads are added to the table of known models.
func published(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(golden.Dir(t, "models", "micro-g", "micro-g.torchscript.pt"))
	if err != nil {
		t.Fatal(err)
	}
	old := knownModels
	knownModels = append(slices.Clone(knownModels), knownModels[0])
	k := &knownModels[len(knownModels)-1]
	k.width, k.layers, k.patch, k.projection, k.textWidth, k.textLayers, k.heads, k.textHeads = 128, 6, 14, 48, 64, 4, 2, 1
	t.Cleanup(func() { knownModels = old })
	return b
}

func TestPull(t *testing.T) {
	t.Setenv("CARVE_CACHE", t.TempDir())
	b := published(t)
	requests := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 { // the connection breaks
			w.Header().Set("Content-Length", "9570048")
			w.Write(b[:100_000])
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}))
	defer srv.Close()
	e := addToRegistry(t, "wanted", srv.URL+"/clip/x.pt", b)

	// Before the pull, the error says where the model can be downloaded.
	var missing *MissingModelError
	_, err := Open(t.Context(), "wanted", Options{})
	if !errors.As(err, &missing) || missing.Name != "wanted" || !strings.Contains(missing.Hint(), "carve models pull wanted") || !strings.Contains(missing.Hint(), e.Host()) {
		t.Errorf("before: %v", err)
	}
	var last Progress
	fetched, err := Pull(t.Context(), "wanted", PullOptions{Progress: func(p Progress) { last = p }})
	if err != nil || !fetched {
		t.Fatalf("%v, %v", fetched, err)
	}
	if last.Have != int64(len(b)) {
		t.Errorf("progress ended at %+v", last)
	}
	m := openTest(t, "wanted", Options{})
	if i := m.Info(); i.Heads != 2 || i.Activation != quickGELU || i.Mean != CLIPMean || i.Std != CLIPStd || i.DType != "F16" {
		t.Errorf("pulled %+v", i)
	}
	if manifest, err := ReadManifest("wanted"); err != nil || manifest.Source != e.URL || manifest.Files[0].SHA256 != e.SHA256 || manifest.Licence != "MIT" || manifest.Activation != quickGELU || len(manifest.Mean) != 3 {
		t.Errorf("manifest %+v, %v", manifest, err)
	}
	if known, err := Verify(t.Context(), "wanted"); !known || err != nil {
		t.Errorf("verify: %v, %v", known, err)
	}
	before := requests
	if fetched, err := Pull(t.Context(), "wanted", PullOptions{}); fetched || err != nil || requests != before {
		t.Errorf("pulled again: %v, %v", fetched, err)
	}

	// The same file, imported by the user, is recognised by its checksum.
	if err := Remove("wanted"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "download (1).pt")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	if m, err := Import(t.Context(), path, "", Options{}); err != nil || m.Name != "wanted" || m.Licence != "MIT" {
		t.Errorf("imported %+v, %v", m, err)
	}
}

// TestPullWrong: a file with another checksum is an error and is removed.
func TestPullWrong(t *testing.T) {
	t.Setenv("CARVE_CACHE", t.TempDir())
	b := published(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append(bytes.Clone(b), 0)))
	}))
	defer srv.Close()
	addToRegistry(t, "wanted", "https://publisher.invalid/clip/x.pt", b)
	t.Setenv("CARVE_MIRROR", srv.URL)
	if _, err := Pull(t.Context(), "wanted", PullOptions{}); err == nil || !strings.Contains(err.Error(), "checksum") || !strings.Contains(err.Error(), "wanted") {
		t.Errorf("another file: %v", err)
	}
	if left := entries(t, modelDir("wanted")); len(left) > 1 {
		t.Errorf("left behind: %q", left)
	}
	if !slices.Equal(Names(), []string{"demo"}) {
		t.Errorf("names %q", Names())
	}
}

// TestRegistry: the registry has the checksums given by the publishers and no other models.
func TestRegistry(t *testing.T) {
	want := map[string]string{
		"clip-vit-base-patch16":      "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
		"clip-vit-large-patch14":     "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
		"clip-vit-large-patch14-336": "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
	}
	for _, e := range Registry() {
		if e.Name == "demo" {
			continue
		}
		if e.SHA256 != want[e.Name] || !strings.Contains(e.URL, "/"+e.SHA256+"/") || !strings.HasPrefix(e.URL, "https://") || e.Size == 0 || e.Licence == "" ||
			e.Activation != quickGELU || e.Mean != CLIPMean || e.Std != CLIPStd {
			t.Errorf("%+v", e)
		}
		delete(want, e.Name)
	}
	if len(want) != 0 {
		t.Errorf("not in the registry: %v", want)
	}
	for _, half := range []string{"clip"} {
		a, b := PairNames(half)
		for _, name := range []string{a, b} {
			if e, ok := Known(name); !ok || e.URL == "" {
				t.Errorf("%s of %s cannot be pulled", name, half)
			}
		}
	}
}
