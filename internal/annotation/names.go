package annotation

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/boundedjson"
	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/stickers"
)

// Files that name the numbers of indexed images. They lie in the folder of the images.
// The album may also lie beside it, if the folder is called annotations: a folder of
// another name may hold a program's results, which the album does not describe.
const (
	conceptsFile      = "concepts.json" // {"1": "dog", "2": "red frisbee"}
	namesFile         = "names.json"    // the same under another name
	albumFile         = "truth.json"    // a [stickers.Album]
	annotationsFolder = "annotations"
)

// void is the number of pixels that do not count.
const void = 255

// Room for 254 names, and for the contents of all frames of a video of some hours.
var (
	conceptsLimits = boundedjson.Limits{Bytes: 1 << 20, Depth: 4, Count: 16}
	albumLimits    = boundedjson.Limits{Bytes: 1 << 26, Depth: 16, Count: 1 << 20}
)

// longestName bounds the name of an object, in bytes: it is a label.
const longestName = 4096

// checkName returns what is wrong with the name of an object.
func checkName(name string) error {
	if len(name) > longestName {
		return fmt.Errorf("a name is %d bytes long; %d at most", len(name), longestName)
	}
	if err := plaintext.Check(name); err != nil {
		return fmt.Errorf("the name %q: %w", name, err)
	}
	return nil
}

// A legend gives the meaning of the numbers in indexed images.
type legend struct {
	path    string
	objects []Object
	album   *stickers.Album // nil if names are the same in all frames
}

// readLegend returns nil if there is no legend.
func readLegend(dir string) (*legend, error) {
	places := []string{filepath.Join(dir, albumFile)}
	if abs, err := filepath.Abs(dir); err == nil && filepath.Base(abs) == annotationsFolder {
		places = append(places, filepath.Join(filepath.Dir(abs), albumFile))
	}
	for _, path := range places {
		data, err := bounded.ReadFile(path, albumLimits.Bytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return albumLegend(path, data)
	}
	for _, name := range []string{conceptsFile, namesFile} {
		path := filepath.Join(dir, name)
		data, err := bounded.ReadFile(path, conceptsLimits.Bytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return conceptsLegend(path, data)
	}
	return nil, nil
}

// conceptsLegend reads a map from numbers to names.
func conceptsLegend(path string, data []byte) (*legend, error) {
	var names map[string]string
	if err := conceptsLimits.Unmarshal(data, &names); err != nil {
		return nil, fmt.Errorf("reading %s, which maps numbers to names: %w", path, err)
	}
	l := &legend{path: path}
	for key, name := range names {
		id, err := strconv.Atoi(key)
		if err != nil || id < 0 || id > void {
			return nil, fmt.Errorf("%s names %q, which is not the number of an object, 1 to 254", path, key)
		}
		if id == 0 || id == void {
			continue // "background" and "void" often have names but need none
		}
		l.objects = append(l.objects, Object{ID: id, Name: name})
	}
	sortObjects(l.objects)
	return l, l.check()
}

// albumLegend reads the file that stickerworld writes. In a clip a number means the
// same object in all frames. In a sequence of scenes it does not, and objects only have
// names. Concepts that are in no frame are objects as well, so that a result that has
// them counts as a false detection.
func albumLegend(path string, data []byte) (*legend, error) {
	var album stickers.Album
	if err := albumLimits.Unmarshal(data, &album); err != nil {
		return nil, fmt.Errorf("reading %s, which says what is in the frames: %w", path, err)
	}
	l := &legend{path: path, album: &album}
	same := true
	for _, f := range album.Frames {
		same = same && slices.Equal(f.Labels, album.Frames[0].Labels)
		if len(f.Labels) >= void {
			return nil, fmt.Errorf("%s has %d labels in one frame; 254 are possible", path, len(f.Labels))
		}
	}
	seen := map[string]bool{}
	add := func(o Object) {
		if !seen[o.Name] {
			seen[o.Name] = true
			l.objects = append(l.objects, o)
		}
	}
	for _, f := range album.Frames {
		for k, name := range f.Labels {
			if same {
				add(Object{ID: k + 1, Name: name})
			} else {
				add(Object{Name: name})
			}
		}
	}
	for _, name := range album.Absent {
		add(Object{Name: name})
	}
	for i, f := range album.Frames {
		for _, name := range slices.Concat(f.Present, f.Ignored) {
			if !slices.Contains(f.Labels, name) {
				return nil, fmt.Errorf("%s says that %q is in frame %d, and has no label for it", path, name, i)
			}
		}
	}
	sortObjects(l.objects)
	return l, l.check()
}

func (l *legend) check() error {
	seen := map[string]bool{}
	for _, o := range l.objects {
		if o.Name == "" {
			return fmt.Errorf("%s has an empty name", l.path)
		}
		if err := checkName(o.Name); err != nil {
			return fmt.Errorf("%s: %w", l.path, err)
		}
		if seen[o.Name] {
			return fmt.Errorf("%s gives the name %q twice", l.path, o.Name)
		}
		seen[o.Name] = true
	}
	return nil
}

func sortObjects(objects []Object) { slices.SortFunc(objects, compareObjects) }

// compareObjects sorts objects with numbers first, in order, then by name.
func compareObjects(a, b Object) int {
	if (a.ID != 0) != (b.ID != 0) {
		return cmp.Compare(b.ID, a.ID)
	}
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name))
}
