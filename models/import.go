package models

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/nowhere"
	"github.com/carve-video/carve/internal/ort"
)

// companions are the files that belong to a checkpoint in a folder.
var companions = []string{configFile, preprocessorFile, "vocab.json", "merges.txt", openCLIPFile}

// Import copies a model, a folder or a checkpoint by itself, into the cache, so
// that it can be opened by name. What cannot be used is not imported: the model
// is opened, the checksums inside its archives are compared, every weight is
// looked at, and it is run once ([UnsoundError]). Without ONNX Runtime the run is
// left out, with a warning. An empty name is that of the registry where the
// checksum is in it, else that of the file or folder. Options describe a
// checkpoint that does not describe itself, and are remembered.
func Import(ctx context.Context, path, name string, o Options) (_ *Manifest, err error) {
	if Dir() == "" {
		return nil, errors.New("there is no folder to keep models in: set CARVE_CACHE")
	}
	if name != "" {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if err := vacant(name); err != nil { // said before gigabytes are read
			return nil, err
		}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("failed to import %s: %w", path, err)
	}
	if _, err := os.Stat(abs); err != nil {
		return nil, fmt.Errorf("failed to import %w", nowhere.Named(path, err))
	}
	o.Device = cmp.Or(o.Device, ort.CPU) // that is always there
	if e, ok := knownFile(abs); ok {
		e.describe(&o)
	}
	src, err := Open(ctx, abs, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	files, weights := src.files()
	sum, err := src.fingerprint()
	if err != nil {
		return nil, fmt.Errorf("failed to import %s: %w", path, err)
	}
	m := &Manifest{Source: abs, Added: now(), Weights: weights}
	m.describe(o)
	known, isKnown := knownSum(sum)
	if isKnown {
		m.Licence = known.Licence
	}
	switch {
	case name != "":
		m.Name = name
	case isKnown:
		m.Name = known.Name
	default:
		m.Name = strings.TrimSuffix(filepath.Base(abs), filepath.Ext(weights))
		if err := checkName(m.Name); err != nil {
			return nil, fmt.Errorf("%w: give one with --name", err)
		}
	}
	if err := vacant(m.Name); err != nil {
		return nil, err
	}
	if err := replaceable(m.Name); err != nil {
		return nil, fmt.Errorf("failed to import %s as %s: %w", path, m.Name, err)
	}
	roles := known.Role
	if !isKnown {
		roles = "proposer, classifier"
		err = src.weights.checkSums(ctx) // of what is known the whole file has its checksum
	}
	if err == nil {
		err = src.check(ctx, roles)
	}
	if err == nil {
		err = m.copyIn(ctx, src.dir, files)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to import %s: %w", path, err)
	}
	return m, nil
}

// vacant says that a name is taken.
func vacant(name string) error {
	if installed(name) {
		return fmt.Errorf("there is a model %s already: remove it first, or import under another name", name)
	}
	return nil
}

// knownFile is the registry's entry of a checkpoint, by the checksum of the file.
func knownFile(path string) (Entry, bool) {
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() || !isCheckpoint(path) {
		return Entry{}, false
	}
	sum, err := sumOf(path)
	if err != nil {
		return Entry{}, false // opening it says why
	}
	return knownSum(sum)
}

// files are the files of the model's folder that belong to it, and which of
// them is to be opened.
func (m *Model) files() (all []string, weights string) {
	weights = filepath.Base(m.weights.name)
	all = slices.Clone(m.weights.paths)
	if !slices.Contains(all, weights) {
		all = append(all, weights) // an index
	}
	if m.alone {
		return all, weights
	}
	for _, name := range companions {
		if _, err := os.Stat(filepath.Join(m.dir, name)); err == nil {
			all = append(all, name)
		}
	}
	return all, weights
}

// copyIn copies the files into a folder of their own, with their checksums, and
// moves that into place when it is whole.
func (m *Manifest) copyIn(ctx context.Context, from string, files []string) error {
	if err := os.MkdirAll(Dir(), 0o777); err != nil {
		return err
	}
	sweep(Dir())
	if err := replaceable(m.Name); err != nil {
		return err
	}
	// What a broken-off pull of the same name left has no manifest.
	part, err := atomicfile.ReplaceFolder(folder(m.Name), atomicfile.Options{Overwrite: !installed(m.Name)}, leftByPull(m.Name))
	if err != nil {
		return err
	}
	defer part.Abort()
	for _, name := range files {
		f, err := copyFile(ctx, filepath.Join(part.Path(), name), filepath.Join(from, name))
		if err != nil {
			return err
		}
		m.Files = append(m.Files, f)
	}
	if err := m.write(part.Path()); err != nil {
		return err
	}
	return foreign(folder(m.Name), part.Commit())
}

func copyFile(ctx context.Context, to, from string) (ManifestFile, error) {
	in, _, err := bounded.Open(from)
	if err != nil {
		return ManifestFile{}, err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return ManifestFile{}, err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), bounded.Until(ctx, in))
	if err == nil {
		err = out.Sync()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return ManifestFile{}, err
	}
	return ManifestFile{Name: filepath.Base(to), Size: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}
