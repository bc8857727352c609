package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/nowhere"
	"github.com/carve-video/carve/internal/plaintext"
)

// A LayoutError says that a folder is not the data set, or not all of it.
type LayoutError struct {
	Missing string   // the missing path below the folder
	In      []string // the folders searched
	Layout  string   // the folders and files that are read
}

func (e *LayoutError) Error() string {
	return fmt.Sprintf("there is no %s in %s", e.Missing, strings.Join(e.In, " or "))
}

// Hint shows what is expected.
func (e *LayoutError) Hint() string {
	return "the data set is expected as its publisher packs it:\n" + e.Layout
}

// locate returns the first folder, root itself or one below it, that has all the paths.
//
// A set may be unpacked with or without its outer folders. If no folder has all paths,
// the error names the one that has the first path, and what it lacks.
func locate(root string, below []string, paths ...string) (string, error) {
	if _, err := os.Stat(root); err != nil {
		return "", nowhere.Named(root, err)
	}
	var in []string
	for _, b := range append([]string{"."}, below...) {
		dir := filepath.Join(root, b)
		in = append(in, dir)
		if !exists(filepath.Join(dir, paths[0])) {
			continue
		}
		for _, p := range paths[1:] {
			if !exists(filepath.Join(dir, p)) {
				return "", &LayoutError{Missing: p, In: []string{dir}}
			}
		}
		return dir, nil
	}
	return "", &LayoutError{Missing: paths[0], In: in}
}

// firstOf returns the first path below dir that exists.
func firstOf(dir string, paths ...string) (string, bool) {
	for _, p := range paths {
		if p = filepath.Join(dir, p); exists(p) {
			return p, true
		}
	}
	return "", false
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// checkFile returns an error if a file named by a list is missing or not a file. kind
// ("the mask", "the picture") and of go into the message.
func checkFile(kind, of, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s of %s is missing: there is no %s", kind, of, path)
	case err != nil:
		return fmt.Errorf("%s of %s: %w", kind, of, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s of %s is no file: %s", kind, of, path)
	}
	return nil
}

// maxList bounds a text with an entry a line, in bytes. The longest list of a published
// set has 3 MB.
const maxList = 1 << 26

// eachLine calls f for every line of a text that is not blank, trimmed. Its errors name
// the file and the line.
func eachLine(path string, f func(line string) error) error {
	data, err := plaintext.ReadFile(path, maxList)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		n++
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := f(line); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
	}
	return nil
}

// names reads a list of names, one a line, that become parts of paths. Only the first
// field counts: VOC's lists of a single class have a number after the name.
func names(path string) ([]string, error) {
	var list []string
	seen := map[string]bool{}
	err := eachLine(path, func(line string) error {
		name := strings.Fields(line)[0]
		if err := plaintext.Check(name); err != nil {
			return fmt.Errorf("%q is not a name: %w", name, err)
		}
		if !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) {
			return fmt.Errorf("%q is not a name", name)
		}
		if seen[name] {
			return fmt.Errorf("%s is listed twice", name)
		}
		seen[name] = true
		list = append(list, name)
		return nil
	})
	return list, err
}

// splitList reads the list of a split. If the split does not exist, the error lists
// those that do: the lists are files in one folder.
func splitList(dir, split string) ([]string, error) {
	path := filepath.Join(dir, split+".txt")
	if exists(path) && filepath.IsLocal(split) {
		return names(path)
	}
	var splits []string
	lists, err := withSuffix(dir, ".txt")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, l := range lists {
		splits = append(splits, stem(l))
	}
	if len(splits) == 0 {
		return nil, &LayoutError{Missing: split + ".txt", In: []string{dir}}
	}
	return nil, wrongOption("there is no split %q in %s (there are %s)", split, dir, strings.Join(splits, ", "))
}

// withSuffix lists the files of a folder with this suffix, sorted.
func withSuffix(dir, suffix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		// Skips the dot files of macOS's archiver.
		if strings.HasSuffix(e.Name(), suffix) && !strings.HasPrefix(e.Name(), ".") {
			list = append(list, e.Name())
		}
	}
	slices.Sort(list)
	return list, nil
}

// stem returns the name of a file without its folder and extension.
func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
