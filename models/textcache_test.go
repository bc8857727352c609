package models

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/carve-video/carve/internal/tensor"
)

// TestTextsAreReplaced: a file of texts is replaced and never changed, and a large one is
// not replaced for every text.
func TestTextsAreReplaced(t *testing.T) {
	dir := tiny.write(t, tensor.F32, 1)
	useBuiltCache(t)
	m, err := Open(t.Context(), dir, Options{Threads: 2, Device: testDevice("")})
	if err != nil {
		t.Fatal(err)
	}
	encode := func(text string) {
		t.Helper()
		if _, err := m.text.EncodeTexts(t.Context(), []string{text}); err != nil {
			t.Fatal(err)
		}
	}
	known := func() int { return len(readTextCache(m.text.file, m.config.Projection)) }
	encode("one")
	before, err := os.Stat(m.text.file)
	if err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(m.text.file)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	encode("two")
	after, err := os.Stat(m.text.file)
	if err != nil || known() != 2 {
		t.Fatalf("%d texts, %v", known(), err)
	}
	if os.SameFile(before, after) {
		t.Error("the file was changed in place")
	}
	if st, err := held.Stat(); err != nil || st.Size() != before.Size() {
		t.Errorf("the file of a reader changed: %v", err)
	}

	m.text.size = smallTextFile + 1
	encode("three")
	if known() != 2 {
		t.Error("a large file was written immediately")
	}
	m.text.written = time.Now().Add(-saveInterval)
	encode("four")
	if known() != 4 {
		t.Errorf("%d texts after a while, want 4", known())
	}
	m.text.size = smallTextFile + 1
	encode("five")
	if err := m.Close(); err != nil || known() != 5 {
		t.Errorf("%d texts after the model was closed, want 5 (%v)", known(), err)
	}
}

// TestTextCacheRefuses: vectors with NaN, and files that carve does not write, are ignored.
func TestTextCacheRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "texts", "x.vectors")
	nan := float32(math.NaN())
	if _, err := updateTextCache(path, map[string][]float32{"good": {1, 2}, "bad": {1, nan}, "also bad": {float32(math.Inf(1)), 0}}, 2); err != nil {
		t.Fatal(err)
	}
	if got := readTextCache(path, 2); len(got) != 1 || got["good"] == nil {
		t.Errorf("cached %v", got)
	}
	if err := os.Truncate(path, maxTextFile+1); err != nil {
		t.Fatal(err)
	}
	if got := readTextCache(path, 2); len(got) != 0 {
		t.Errorf("of a file that is too large: %v", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", path); err != nil {
		t.Fatal(err)
	}
	if got := readTextCache(path, 2); len(got) != 0 {
		t.Errorf("of a device: %v", got)
	}
	if _, err := updateTextCache(path, map[string][]float32{"good": {1, 2}}, 2); err != nil || len(readTextCache(path, 2)) != 1 {
		t.Errorf("in the place of a link: %v", err)
	}
}

// FuzzTextCache: no input makes the reader panic or allocate more memory than its size, and
// texts that were read can be written and read again.
func FuzzTextCache(f *testing.F) {
	f.Add(records(map[string][]float32{"a dog": {1, 2, 3}, "": {0, 0, 0}}), 3)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0}, 1)
	f.Add([]byte{4, 0, 0, 0}, 0)
	f.Fuzz(func(t *testing.T, b []byte, width int) {
		width = max(0, min(width, 1<<14))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := parseTextCache(b, width)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20+64*uint64(len(b)) {
			t.Fatalf("%d bytes took %d", len(b), n)
		}
		if again := parseTextCache(records(got), width); len(again) != len(got) {
			t.Fatalf("%d texts went in, %d came out", len(got), len(again))
		}
	})
}

// BenchmarkUpdateTextCache measures replacing the file with the texts of the largest
// preset.
func BenchmarkUpdateTextCache(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.vectors")
	all := map[string][]float32{}
	for i := range 13_000 {
		v := make([]float32, 768)
		v[0] = float32(i)
		all[string(rune('a'+i%26))+string(rune(0x4e00+i))] = v
	}
	if _, err := updateTextCache(path, all, 768); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := updateTextCache(path, map[string][]float32{"new": make([]float32, 768)}, 768); err != nil {
			b.Fatal(err)
		}
	}
}
