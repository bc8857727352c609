package models

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/embedded"
	"github.com/carve-video/carve/internal/fetch"
	"github.com/carve-video/carve/internal/ort"
)

// Named models are folders in carve's cache. A model that was pulled or imported has a
// manifest, which is written last. A folder without one was left by an interrupted pull, or
// is a Hugging Face folder that the user put there.

// manifestFile is the manifest of a folder.
const manifestFile = "carve.json"

// A Manifest describes a model in the cache.
type Manifest struct {
	Name       string         `json:"name"`
	Source     string         `json:"source"` // URL, or path from which it was imported
	Licence    string         `json:"licence,omitempty"`
	Added      time.Time      `json:"added"`
	Weights    string         `json:"weights"` // the checkpoint in Files, or its index
	Heads      int            `json:"heads,omitempty"`
	TextHeads  int            `json:"text_heads,omitempty"`
	Activation string         `json:"activation,omitempty"`
	Mean       []float32      `json:"mean,omitempty"`
	Std        []float32      `json:"std,omitempty"`
	Files      []ManifestFile `json:"files"`
}

// describe stores the options that describe a checkpoint.
func (m *Manifest) describe(o Options) {
	m.Heads, m.TextHeads, m.Activation, m.Mean, m.Std = o.Heads, o.TextHeads, o.Activation, o.Mean, o.Std
}

// A ManifestFile is one file of a model.
type ManifestFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Dir is the folder of named models, which has one folder for each; it is empty if there is
// no cache.
func Dir() string {
	cache := ort.CacheDir()
	if cache == "" {
		return ""
	}
	return filepath.Join(cache, "models")
}

// modelDir is the folder of a named model, whether it exists or not.
func modelDir(name string) string { return filepath.Join(Dir(), name) }

// installed reports whether a named model is complete in the cache.
func installed(name string) bool {
	if Dir() == "" {
		return false
	}
	for _, file := range []string{manifestFile, "config.json"} {
		if _, err := os.Stat(filepath.Join(modelDir(name), file)); err == nil {
			return true
		}
	}
	return false
}

// demoName is the name of the model of package models/demo, which the program may or may
// not import.
const demoName = "demo"

// notLinkedError is the error for a built-in model whose package is not imported.
func notLinkedError(name string) error {
	return fmt.Errorf("model %s is not built into this program: import github.com/carve-video/carve/models/%s", name, name)
}

// Names lists the models that can be opened by name: the built-in ones and those in carve's
// cache.
func Names() []string {
	names := embedded.Names()
	entries, _ := os.ReadDir(Dir()) // a missing folder has none
	for _, e := range entries {
		if installed(e.Name()) && modelName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Path returns the folder of a named model.
func Path(name string) (string, error) {
	if name == demoName {
		return "", fmt.Errorf("model %s is built into the program and has no folder", name)
	}
	if !modelName.MatchString(name) || !installed(name) {
		return "", notInCacheError(name)
	}
	return modelDir(name), nil
}

// unknownModelError is the error for a name that is neither in the cache nor in the
// registry.
func unknownModelError(name string) error {
	known := append(Names(), slices.Collect(maps.Keys(pairs))...)
	for _, e := range registry {
		known = append(known, e.Name)
	}
	slices.Sort(known)
	return &UnknownModelError{Name: name, Known: slices.Compact(known)}
}

// notInCacheError is the error for a name that is not in the cache.
func notInCacheError(name string) error {
	if name == demoName {
		return notLinkedError(name)
	}
	if e, ok := Known(name); ok {
		return &MissingModelError{e}
	}
	return unknownModelError(name)
}

// ReadManifest returns the manifest of a model in the cache. For a folder without one,
// which the user put there, the error is fs.ErrNotExist.
func ReadManifest(name string) (*Manifest, error) {
	dir, err := Path(name)
	if err != nil {
		return nil, err
	}
	return readManifest(dir)
}

func readManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, manifestFile)
	b, err := bounded.ReadFile(path, maxConfig)
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, f := range append(m.Files, ManifestFile{Name: m.Weights}) {
		if f.Name != filepath.Base(f.Name) || f.Name == "." || f.Name == ".." {
			return nil, fmt.Errorf("%s: %q is not a file of that folder", path, f.Name)
		}
	}
	return &m, nil
}

func (m *Manifest) write(dir string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return writeAtomic(filepath.Join(dir, manifestFile), append(b, '\n'))
}

// modelName matches valid names of models in the cache.
var modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// checkName returns an error if a name is invalid or reserved.
func checkName(name string) error {
	if !modelName.MatchString(name) {
		return &NameError{name, "cannot be a model's name: use letters, digits, dots, dashes and underscores"}
	}
	if a, b := PairNames(name); name == demoName || a != name || b != name {
		return &NameError{name, "is the name of another model"}
	}
	return nil
}

// A NameError says that a model cannot have this name.
type NameError struct{ Name, Why string }

func (e *NameError) Error() string { return fmt.Sprintf("%q %s", e.Name, e.Why) }

// PullOptions configure a download. The zero value is usable.
type PullOptions struct {
	// Mirror is a base URL that replaces scheme and host of the source:
	// MIRROR/clip/models/… for OpenAI's. Empty is CARVE_MIRROR, else the source.
	Mirror string
	// HTTP is the client to use; nil is one with the proxies of the environment and a
	// timeout for stalled downloads.
	HTTP *http.Client
	// Progress is called about four times a second; nil is silent.
	Progress func(Progress)
	// Log receives messages about retries; nil is silent.
	Log *slog.Logger
}

// Progress is the progress of a download.
type Progress = fetch.Progress

func (o PullOptions) client() *fetch.Client {
	return &fetch.Client{HTTP: o.HTTP, Mirror: cmp.Or(o.Mirror, os.Getenv("CARVE_MIRROR")), Progress: o.Progress, Log: o.Log}
}

// Pull downloads a model of the registry to the cache, unless it is there, and checks that
// it can be opened and run, like [Import]. It resumes an interrupted download.
func Pull(ctx context.Context, name string, o PullOptions) (fetched bool, err error) {
	e, ok := Known(name)
	if !ok {
		return false, unknownModelError(name)
	}
	if e.URL == "" || installed(name) {
		return false, nil
	}
	if Dir() == "" {
		return false, errors.New("there is no folder to keep models in: set CARVE_CACHE")
	}
	dir := modelDir(name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return false, fmt.Errorf("failed to make the folder of model %s: %w", name, err)
	}
	path := filepath.Join(dir, e.File)
	// A pull gives this name to a verified file only: any other is the user's.
	if _, err := os.Lstat(path); err == nil {
		if sum, err := cachedSum(path); err != nil {
			return false, fmt.Errorf("failed to pull model %s: %w", name, err)
		} else if sum != e.SHA256 {
			return false, fmt.Errorf("failed to pull model %s: %w", name, &ForeignFileError{Dir: dir, File: e.File})
		}
	}
	if _, err := o.client().Get(ctx, fetch.File{URLs: []string{e.URL}, SHA256: e.SHA256}, path); err != nil {
		return false, fmt.Errorf("failed to pull model %s: %w", name, err)
	}
	st, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	m := &Manifest{Name: name, Source: e.URL, Licence: e.Licence, Added: now(), Weights: e.File,
		Files: []ManifestFile{{Name: e.File, Size: st.Size(), SHA256: e.SHA256}}}
	run := Options{Device: ort.CPU, Log: o.Log}
	e.describe(&run)
	m.describe(run)
	opened, err := open(name, dir, e.File, nil, run)
	if err != nil {
		return false, err
	}
	if err := errors.Join(opened.check(ctx, e.Role), opened.Close()); err != nil {
		return false, fmt.Errorf("failed to pull model %s: %w", name, err)
	}
	return true, m.write(dir)
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// Verify verifies the checksums of a model's files and opens it. known is false for a
// folder that the user put into the cache, which has no checksums.
func Verify(ctx context.Context, name string) (known bool, err error) {
	if name != demoName {
		dir, err := Path(name)
		if err != nil {
			return false, err
		}
		m, err := readManifest(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return false, err
		default:
			known = true
			for _, f := range m.Files {
				if err := ctx.Err(); err != nil {
					return known, err
				}
				if err := f.verify(dir); err != nil {
					return known, fmt.Errorf("model %s is damaged: %w", name, err)
				}
			}
		}
	}
	m, err := Open(ctx, name, Options{})
	if err != nil {
		return known, err
	}
	return known, m.Close()
}

func (f ManifestFile) verify(dir string) error {
	path := filepath.Join(dir, f.Name)
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.Size() != f.Size {
		return fmt.Errorf("%s has %d bytes, not %d", path, st.Size(), f.Size)
	}
	sum, err := hashFile(path)
	if err != nil {
		return err
	}
	if sum != f.SHA256 {
		return fmt.Errorf("%s has the checksum %s, not %s", path, sum, f.SHA256)
	}
	return nil
}

// Remove deletes a model from the cache, with everything cached for it. A folder that
// contains other files is not removed ([ForeignFileError]).
func Remove(name string) error {
	if name == demoName {
		return fmt.Errorf("model %s is built into the program and cannot be removed", name)
	}
	if !modelName.MatchString(name) {
		return notInCacheError(name)
	}
	dir := modelDir(name)
	st, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return notInCacheError(name)
	}
	if err != nil {
		return err
	}
	link := st.Mode()&fs.ModeSymlink != 0
	own := ownedByModel(name)
	if !link {
		if err := checkNotPulled(name); err != nil {
			return err
		}
		if err := atomicfile.CheckFolder(dir, atomicfile.Options{Overwrite: true}, own); err != nil {
			return foreignFileError(dir, err)
		}
	}
	if m, err := open(name, dir, "", nil, Options{}); err == nil {
		sum, err := m.fingerprint()
		m.Close()
		if err == nil {
			if err := removeBuilt(sum); err != nil {
				return fmt.Errorf("failed to remove what was built from model %s: %w", name, err)
			}
		}
	}
	if link {
		return os.Remove(dir) // only the link, not the user's folder
	}
	return foreignFileError(dir, atomicfile.RemoveFolder(dir, own))
}

// isPath reports whether [Open] treats s as a path, not as a name.
func isPath(s string) bool {
	return strings.ContainsRune(s, filepath.Separator) || s == "." || s == ".."
}
