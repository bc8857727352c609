package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/hostile"
)

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHostileInstances: no annotation file takes much time or memory.
func TestHostileInstances(t *testing.T) {
	path := filepath.Join(t.TempDir(), "instances.json")
	read := func(text string) error {
		write(t, path, text)
		var last *cocoAnnotation
		err := scanInstances(path, func(im *cocoImage) error { return im.check() }, func(a *cocoAnnotation) error {
			last = a
			return nil
		})
		if err != nil || last == nil {
			return err
		}
		_, err = paintAnnotation(path, cocoImage{Width: 64, Height: 48}, last)
		return err
	}
	const entry = `{"images":[{"id":1,"width":64,"height":48}],"annotations":[{"id":1,"segmentation":%s}]}`
	texts := map[string]string{
		"an entry without end": `{"images":[],"annotations":[{"id":"` + hostile.Fill("a", 80<<20) + `"}]}`,
		"something else, deep": `{"info":` + strings.Repeat("[", 4<<20),
		"other keys":           "{" + hostile.Counted(`"k%d":1,`, 1<<20) + `"images":[]}`,
		"a long outline":       fmt.Sprintf(entry, "[["+strings.TrimSuffix(hostile.Fill("0,0,65535,65535,", 2<<20), ",")+"]]"),
		"many outlines":        fmt.Sprintf(entry, "["+strings.TrimSuffix(hostile.Fill("[0,0,1,1],", 1<<20), ",")+"]"),
		"outlines far off":     fmt.Sprintf(entry, "[[1e308,-1e308,-1e308,1e308]]"),
		"runs of nothing":      fmt.Sprintf(entry, `{"size":[48,64],"counts":[`+hostile.Fill("0,", 2<<20)+`3072]}`),
		"runs beyond":          fmt.Sprintf(entry, `{"size":[48,64],"counts":[4294967295,4294967295]}`),
		"runs of another size": fmt.Sprintf(entry, `{"size":[32768,32768],"counts":[1073741824]}`),
	}
	wrong := map[string]string{
		"an entry without end": "an entry is larger than 16777216 bytes", "something else, deep": "nested more than 64 deep",
		"a long outline": "its outline is more than 16777216 pixels long", "many outlines": "polygons; 10000 at most", "runs of nothing": "run lengths of ",
	}
	for name, want := range wrong {
		if err := read(texts[name]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %.200v, want %q", name, err, want)
		}
	}
	delete(texts, "an entry without end") // takes more memory to write
	for name, text := range hostile.JSON(128 << 10) {
		texts[name] = text
		texts["images: "+name] = `{"images":` + text + `}`
		texts["annotations: "+name] = `{"annotations":[` + text
		texts["outline: "+name] = fmt.Sprintf(entry, text)
	}
	hostile.Usual.Hold(t, texts, read)
}

// TestHostileLists: lists are text, and their entries are names.
func TestHostileLists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "val.txt")
	hostile.Usual.Hold(t, hostile.Lines(256<<10), func(text string) error {
		write(t, path, text)
		_, err := names(path)
		if err != nil && len(err.Error()) > 300 {
			return fmt.Errorf("%.300w", err) // repeats a line
		}
		return err
	})
	for name, text := range hostile.Refused() {
		write(t, path, text)
		// White space ends a name within a line.
		if _, err := names(path); err == nil && !strings.ContainsAny(text, "\v\f\r\u0085\u2028\u2029") && strings.Count(text, "\n") == 3 {
			t.Errorf("%s is a name", name)
		}
	}
	// A line longer than a scanner's buffer does not hide the following ones.
	write(t, path, "a "+strings.Repeat("x", 100<<10)+"\nb\n")
	if list, err := names(path); err != nil || len(list) != 2 {
		t.Errorf("%q, %v", list, err)
	}
	for _, p := range []string{"/dev/zero", t.TempDir()} {
		if _, err := names(p); err == nil {
			t.Errorf("%s is read as a list", p)
		}
	}
	hostile.Usual.Hold(t, hostile.YAML(24<<10), func(text string) error {
		write(t, path, text)
		_, err := davisNames(path)
		return err
	})
}

// TestExpressions: Latin-1 is read, with Windows quotes, and no character is left that
// a query may not have.
func TestExpressions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "annot.txt")
	write(t, path, "bear 1 \"the caf\xe9\x92s \x81bear\x01\"\n")
	text, err := davisExpressions(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := text.queries["bear"][1].Label; got != "the café’s \ufffdbear" {
		t.Errorf("read %q", got)
	}
}

// A mask that claims a huge size is refused before it is decoded.
func TestHugeMask(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.png")
	// A PNG header with a palette and a width and height of 2^30.
	write(t, path, "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x40\x00\x00\x00\x40\x00\x00\x00\x08\x00\x00\x00\x00\x64\x3c\x95\xba")
	hostile.Bounds{Time: hostile.Usual.Time, Alloc: 1 << 20}.Hold(t, map[string]string{"huge": ""}, func(string) error {
		_, err := readLabels(path)
		if err == nil {
			t.Error("it is taken")
		}
		return err
	})
}

func FuzzInstances(f *testing.F) {
	f.Add(`{"images":[{"id":1,"width":4,"height":4}],"annotations":[{"id":1,"segmentation":[[0,0,3,0,3,3]]}]}`)
	for _, text := range hostile.JSON(64) {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, fmt.Sprint(os.Getpid(), ".json"))
		write(t, path, text)
		var last *cocoAnnotation
		err := scanInstances(path, func(im *cocoImage) error { return im.check() }, func(a *cocoAnnotation) error {
			last = a
			return nil
		})
		if err == nil && last != nil {
			paintAnnotation(path, cocoImage{Width: 64, Height: 48}, last) // must not panic
		}
	})
}
