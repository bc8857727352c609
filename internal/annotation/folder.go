package annotation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A folder is a sequence of PNGs named by frame number, all of one kind and size.
type folder struct {
	path  string
	files []string // names of the files, in order
	first int      // number of the first one
	kind  pngKind
	w, h  int
}

func isPNG(name string) bool { return strings.EqualFold(filepath.Ext(name), ".png") }

// openFolder lists the images of a folder and reads all their headers.
func openFolder(ctx context.Context, path string, workers int) (*folder, error) {
	f := &folder{path: path}
	if err := f.list(); err != nil {
		return nil, err
	}
	type header struct {
		kind pngKind
		w, h int
	}
	headers := make([]header, len(f.files))
	err := Each(ctx, len(f.files), workers, func(i int) error {
		kind, w, h, err := inspect(f.file(i))
		headers[i] = header{kind, w, h}
		return err
	})
	if err != nil {
		return nil, err
	}
	f.kind, f.w, f.h = headers[0].kind, headers[0].w, headers[0].h
	for i, h := range headers {
		if h.w != f.w || h.h != f.h {
			return nil, fmt.Errorf("%s is %dx%d, and %s is %dx%d", f.file(i), h.w, h.h, f.files[0], f.w, f.h)
		}
		if h.kind != f.kind {
			return nil, fmt.Errorf("%s is %s, and %s is %s", f.file(i), h.kind, f.files[0], f.kind)
		}
	}
	return f, nil
}

// list finds the images and checks that no number is missing.
func (f *folder) list() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	type numbered struct {
		n    int
		name string
	}
	var all []numbered
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || !isPNG(name) || isDir(e, f.path) {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSuffix(name, filepath.Ext(name)), 10, 31)
		if err != nil {
			return fmt.Errorf("%s is not called by the number of a frame, like 00000.png", filepath.Join(f.path, name))
		}
		all = append(all, numbered{int(n), name})
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: there are no masks in this folder, 00000.png and on", f.path)
	}
	slices.SortFunc(all, func(a, b numbered) int { return a.n - b.n })
	f.first = all[0].n
	for i, a := range all {
		if want := f.first + i; a.n > want {
			return fmt.Errorf("frame %s is missing in %s: after %s comes %s", frameNumber(want), f.path, all[i-1].name, a.name)
		} else if a.n < want {
			return fmt.Errorf("%s has frame %d twice: %s and %s", f.path, a.n, all[i-1].name, a.name)
		}
		f.files = append(f.files, a.name)
	}
	return nil
}

func (f *folder) file(i int) string { return filepath.Join(f.path, f.files[i]) }

func (f *folder) decode(i int) (*pngImage, error) { return decode(f.file(i), f.kind, f.w, f.h) }

// oneValue returns the only non-zero value of a grey image. Several values are an
// error: they may be shades or object numbers, and the file does not say which.
func (p *pngImage) oneValue(name string) (uint8, error) {
	one := uint8(0)
	for y := range p.h {
		for _, v := range p.row(y) {
			switch {
			case v == 0 || v == one:
			case one == 0:
				one = v
			default:
				return 0, fmt.Errorf("%s is grey and has the values %d and %d; of several objects an indexed picture is expected, of one object a picture of two values", name, min(one, v), max(one, v))
			}
		}
	}
	return one, nil
}
