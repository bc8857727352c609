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

// companionNames are the names of files that belong to a checkpoint in the same folder.
var companionNames = []string{configFile, preprocessorFile, "vocab.json", "merges.txt", openCLIPFile}

// Import copies a model, a folder or a single checkpoint, into the cache, so that it can
// be opened by name. An unusable model is not imported: the model is opened, the
// checksums inside its archives are verified, every weight is checked, and it is run once
// ([InvalidModelError]). Without ONNX Runtime it is not run, and a warning is logged. If
// name is empty, it is taken from the registry if that has the checksum, else from the
// file or folder. Options that describe the checkpoint are stored in the manifest.
func Import(ctx context.Context, path, name string, o Options) (_ *Manifest, err error) {
	if Dir() == "" {
		return nil, errors.New("there is no folder to keep models in: set CARVE_CACHE")
	}
	if name != "" {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if err := checkNameFree(name); err != nil { // before gigabytes are read
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
	o.Device = cmp.Or(o.Device, ort.CPU) // always available
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
	if err := checkNameFree(m.Name); err != nil {
		return nil, err
	}
	if err := checkReplaceable(m.Name); err != nil {
		return nil, fmt.Errorf("failed to import %s as %s: %w", path, m.Name, err)
	}
	roles := known.Role
	if !isKnown {
		roles = "proposer, classifier"
		err = src.weights.checkSums(ctx) // of a known file the SHA-256 was compared
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

// checkNameFree returns an error if a name is taken.
func checkNameFree(name string) error {
	if installed(name) {
		return fmt.Errorf("there is a model %s already: remove it first, or import under another name", name)
	}
	return nil
}

// knownFile returns the registry's entry of a checkpoint, by the checksum of the file.
func knownFile(path string) (Entry, bool) {
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() || !isCheckpoint(path) {
		return Entry{}, false
	}
	sum, err := cachedSum(path)
	if err != nil {
		return Entry{}, false // opening it will give the error
	}
	return knownSum(sum)
}

// files returns the files of the model's folder that belong to it, and the one to open.
func (m *Model) files() (all []string, weights string) {
	weights = filepath.Base(m.weights.name)
	all = slices.Clone(m.weights.paths)
	if !slices.Contains(all, weights) {
		all = append(all, weights) // an index
	}
	if m.standalone {
		return all, weights
	}
	for _, name := range companionNames {
		if _, err := os.Stat(filepath.Join(m.dir, name)); err == nil {
			all = append(all, name)
		}
	}
	return all, weights
}

// copyIn copies the files to a temporary folder, with their checksums, and renames it when
// it is complete.
func (m *Manifest) copyIn(ctx context.Context, from string, files []string) error {
	if err := os.MkdirAll(Dir(), 0o777); err != nil {
		return err
	}
	sweep(Dir())
	if err := checkReplaceable(m.Name); err != nil {
		return err
	}
	// The remains of an interrupted pull of the same name have no manifest.
	part, err := atomicfile.ReplaceFolder(modelDir(m.Name), atomicfile.Options{Overwrite: !installed(m.Name)}, ownedByPull(m.Name))
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
	return foreignFileError(modelDir(m.Name), part.Commit())
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
