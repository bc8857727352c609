package atomicfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/gofrs/flock"
)

// A Leftover is a hidden file or folder that a killed run did not remove.
type Leftover struct {
	Path   string
	Size   int64 // bytes; 0 for a folder
	Folder bool
	// Old says that it is not an unfinished output, but a file that an output was about
	// to replace: it may be the only copy.
	Old bool
}

var hiddenName = regexp.MustCompile(`^\..*\.(part|old)-[0-9a-f]{6}(\.[^/]*)?$`)

// Leftovers lists the hidden files in a folder that no run has locked. It removes
// nothing: a user's file may have such a name.
func Leftovers(dir string) []Leftover {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var left []Leftover
	for _, e := range entries {
		if !hiddenName.MatchString(e.Name()) || e.Type()&^fs.ModeDir != 0 {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if isRegistered(path) || locked(path) {
			continue
		}
		l := Leftover{Path: path, Folder: e.IsDir(), Old: hiddenName.FindStringSubmatch(e.Name())[1] == "old"}
		if fi, err := e.Info(); err == nil && !l.Folder {
			l.Size = fi.Size()
		}
		left = append(left, l)
	}
	return left
}

// IsPart tells whether a name is a hidden name of the file of, as it has while it is
// written, or after its writer was killed.
func IsPart(name, of string) bool {
	stem, ext := splitName(of)
	rest, ok := strings.CutPrefix(name, "."+stem+".part-")
	return ok && hiddenName.MatchString(name) && len(rest) == 6+len(ext) && strings.HasSuffix(rest, ext)
}

// locked reports whether a file is being written. If that cannot be determined, it
// counts as locked.
func locked(path string) bool {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	defer l.Close()
	ok, err := l.TryRLock()
	return !ok || err != nil
}

// inUse are the hidden names of this process: those of unfinished outputs, and those of
// files that an output is about to replace.
var inUse struct {
	sync.Mutex
	names, old []string
}

// registerOld registers the hidden name of a file that an output is about to replace.
func registerOld(name string) (release func()) {
	inUse.Lock()
	defer inUse.Unlock()
	inUse.old = append(inUse.old, name)
	return func() {
		inUse.Lock()
		defer inUse.Unlock()
		if i := slices.Index(inUse.old, name); i >= 0 {
			inUse.old = slices.Delete(inUse.old, i, i+1)
		}
	}
}

func register(name string) {
	inUse.Lock()
	defer inUse.Unlock()
	inUse.names = append(inUse.names, name)
}

func unregister(name string) {
	inUse.Lock()
	defer inUse.Unlock()
	if i := slices.Index(inUse.names, name); i >= 0 {
		inUse.names = slices.Delete(inUse.names, i, i+1)
	}
}

func isRegistered(name string) bool {
	inUse.Lock()
	defer inUse.Unlock()
	return slices.Contains(inUse.names, name) || slices.Contains(inUse.old, name)
}

// TempDir makes a temporary folder. remove removes it with its contents, and so does
// [RemoveAll].
func TempDir(pattern string) (path string, remove func() error, err error) {
	path, err = os.MkdirTemp("", pattern)
	if err != nil {
		return "", nil, err
	}
	register(path)
	return path, func() error {
		unregister(path)
		return os.RemoveAll(path)
	}, nil
}

// RemoveAll removes every unfinished output and temporary folder of this process. It is
// for a program that ends without waiting for the goroutines that write them.
func RemoveAll() {
	inUse.Lock()
	defer inUse.Unlock()
	for _, name := range inUse.names {
		os.RemoveAll(name)
	}
	inUse.names = nil
}
