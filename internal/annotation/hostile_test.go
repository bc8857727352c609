package annotation

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/carve-video/carve/internal/hostile"
)

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// all opens the masks at a path and decodes their frames.
func all(path string) error {
	s, err := Open(context.Background(), path, Options{Workers: 1})
	if err != nil {
		return err
	}
	for i := range min(s.Len(), 20) {
		if _, err := s.Frame(i); err != nil {
			return err
		}
	}
	return nil
}

const (
	head  = `{"videos":[{"id":1,"width":%d,"height":%d,"length":%d}],"categories":[%s],"annotations":[%s]}`
	dog   = `{"id":1,"name":"dog"}`
	track = `{"id":%d,"video_id":1,"category_id":%d,"segmentations":[{"size":[%d,%d],"counts":%s}]}`
)

// TestHostileJSON: no text takes much time or memory, whichever form it is read as.
func TestHostileJSON(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "00000.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Black, color.White})); err != nil {
		t.Fatal(err)
	}
	f.Close()
	size := 256 << 10
	if testing.Short() {
		size = 16 << 10
	}
	small := hostile.JSON(size)
	for _, name := range []string{conceptsFile, albumFile} {
		path := filepath.Join(dir, name)
		texts := map[string]string{}
		for what, text := range small {
			texts[name+": "+what] = text
			texts[name+": frames "+what] = `{"frames":` + text + `}`
		}
		hostile.Usual.Hold(t, texts, func(text string) error {
			write(t, path, []byte(text))
			return all(dir)
		})
		os.Remove(path)
	}
	texts := map[string]string{
		"runs of nothing":        fmt.Sprintf(head, 4, 4, 1, dog, fmt.Sprintf(track, 1, 1, 4, 4, "["+hostile.Fill("0,", 4<<20)+"16]")),
		"packed runs of nothing": fmt.Sprintf(head, 4, 4, 1, dog, fmt.Sprintf(track, 1, 1, 4, 4, `"`+hostile.Fill("0", 4<<20)+`"`)),
		"a large picture":        fmt.Sprintf(head, 1<<14, 1<<14, 1, dog, fmt.Sprintf(track, 1, 1, 1<<14, 1<<14, "[268435456]")),
		"a picture of no end":    fmt.Sprintf(head, 1<<31, 1<<31, 1, dog, ""),
		"a picture below none":   fmt.Sprintf(head, -4, -4, 1, dog, ""),
		"a film of no end":       fmt.Sprintf(head, 4, 4, 1<<60, dog, ""),
		"large pictures":         fmt.Sprintf(head, 1<<14, 1<<14, 1, categories(400), strings.Join(tracks(400, 1<<14), ",")),
		"nested":                 fmt.Sprintf(head, 4, 4, 1, dog, strings.Repeat("[", 1<<20)),
	}
	for what, text := range small {
		texts["results "+what] = text
		texts["tracks "+what] = fmt.Sprintf(head, 4, 4, 1, dog, strings.TrimSuffix(text, ","))
		texts["runs "+what] = fmt.Sprintf(head, 4, 4, 1, dog, fmt.Sprintf(track, 1, 1, 4, 4, text))
	}
	path := filepath.Join(t.TempDir(), "masks.json")
	hostile.Usual.Hold(t, texts, func(text string) error {
		write(t, path, []byte(text))
		return all(path)
	})
	for name, want := range map[string]string{
		"runs of nothing": "run lengths of ", "packed runs of nothing": "run lengths of ", "a picture of no end": "video 1 is ", "a film of no end": "1048576 at most",
		"large pictures": "400 masks of 16384x16384 take too much memory", "nested": "nested more than 16 deep",
	} {
		write(t, path, []byte(texts[name]))
		if err := all(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %.200v, want %q", name, err, want)
		}
	}
}

func categories(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"id":%d,"name":"thing %d"}`, i+1, i+1))
	}
	return strings.Join(list, ",")
}

func tracks(n, side int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf(track, i+1, i+1, side, side, fmt.Sprintf("[%d]", side*side)))
	}
	return list
}

// TestNames: names with invisible characters are refused.
func TestNames(t *testing.T) {
	for _, name := range []string{"d\x1b[2Jg", "d\x00g", "d\ng", "\u202egod", "\u2028", strings.Repeat("x", 5000)} {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conceptsLegend("concepts.json", []byte(`{"1": `+string(quoted)+`}`)); err == nil {
			t.Errorf("concepts: %.20q is taken", name)
		}
		if _, err := albumLegend("truth.json", []byte(`{"frames": [{"labels": [`+string(quoted)+`]}]}`)); err == nil {
			t.Errorf("album: %.20q is taken", name)
		}
		path := filepath.Join(t.TempDir(), "x.json")
		write(t, path, fmt.Appendf(nil, head, 4, 4, 1, `{"id":1,"name":`+string(quoted)+`}`, ""))
		if err := all(path); err == nil || strings.ContainsAny(err.Error(), "\x1b\x00\n") {
			t.Errorf("category: %.20q: error %.100q", name, err)
		}
	}
}

// bomb is the beginning of a PNG that claims a size.
func bomb(w, h uint32) []byte {
	chunk := func(kind string, data []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		b = append(append(b, kind...), data...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(size, 8, 3, 0, 0, 0))...)
	return append(append(out, chunk("PLTE", make([]byte, 6))...), chunk("IDAT", []byte("\x78\x9c"))...)
}

// TestBombs: an image that claims a huge size is refused before it is decoded, and a
// pipe does not block.
func TestBombs(t *testing.T) {
	for _, side := range []uint32{100_000, 1 << 30} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "00000.png"), bomb(side, side))
		hostile.Bounds{Time: hostile.Usual.Time, Alloc: 1 << 20}.Hold(t, map[string]string{"bomb": ""}, func(string) error {
			err := all(dir)
			if err == nil {
				t.Errorf("a mask of %d pixels a side is taken", side)
			}
			return err
		})
	}
	dir := t.TempDir()
	if err := unix.Mkfifo(filepath.Join(dir, "00000.png"), 0o600); err != nil {
		t.Skip(err)
	}
	if err := all(dir); err == nil || !strings.Contains(err.Error(), "is a pipe, not a regular file") {
		t.Errorf("a pipe: %v", err)
	}
}

func FuzzMasks(f *testing.F) {
	f.Add(fmt.Sprintf(head, 4, 4, 1, dog, fmt.Sprintf(track, 1, 1, 4, 4, "[3,4,9]")))
	f.Add(fmt.Sprintf(head, 4, 4, 1, dog, fmt.Sprintf(track, 1, 1, 4, 4, `"012"`)))
	f.Add(`[` + fmt.Sprintf(track, 0, 1, 4, 4, "[16]") + `]`)
	for _, text := range hostile.JSON(64) {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, fmt.Sprint(os.Getpid(), ".json"))
		write(t, path, []byte(text))
		all(path) // must not panic
	})
}
