package ortdist

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/carve-video/carve/internal/bounded"
)

const (
	manifestName = "carve-manifest.json"
	maxManifest  = 1 << 20 // a real one has a few kilobytes
)

// ErrNoManifest is returned by Verify for a folder without a manifest, such as one that
// scripts/setup.sh makes.
var ErrNoManifest = errors.New("there is no manifest")

// A manifest lists the files of an installation and their origin.
type manifest struct {
	Name      string            `json:"name"`
	Version   string            `json:"version"`
	OS        string            `json:"os"`
	Arch      string            `json:"arch"`
	Library   string            `json:"library"`
	Preload   []string          `json:"preload,omitempty"`
	Libraries bool              `json:"libraries,omitempty"`
	Archives  []manifestArchive `json:"archives"`
	Files     []manifestFile    `json:"files"`
}

type manifestArchive struct {
	URL    string `json:"url"`
	SHA256 string `json:"sha256"`
}

type manifestFile struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func (m *manifest) add(a Archive) {
	m.Libraries = m.Libraries || a.Libraries
	m.Archives = append(m.Archives, manifestArchive{URL: a.URL, SHA256: a.SHA256})
	for _, member := range a.Members {
		m.Files = append(m.Files, manifestFile{Path: member.target(), Size: member.Size, SHA256: member.SHA256})
	}
}

func (m *manifest) has(path string) bool {
	return slices.ContainsFunc(m.Files, func(f manifestFile) bool { return f.Path == path })
}

func (m *manifest) write(folder string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, manifestName), append(b, '\n'), 0o666)
}

// readManifest returns ErrNoManifest if there is none. It makes sure that all paths lie
// inside the folder.
func readManifest(folder string) (*manifest, error) {
	path := filepath.Join(folder, manifestName)
	b, err := bounded.ReadFile(path, maxManifest)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", folder, ErrNoManifest)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to read manifest: %w", err)
	}
	m := new(manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s: not a valid manifest: %w", path, err)
	}
	if m.Name == "" || m.Version == "" {
		return nil, fmt.Errorf("%s: not a valid manifest: it has no name or no version", path)
	}
	for _, f := range m.Files {
		if !inside(f.Path) {
			return nil, fmt.Errorf("%s: not a valid manifest: file %q lies outside the folder", path, f.Path)
		}
	}
	for _, library := range slices.Concat([]string{m.Library}, m.Preload) {
		if !m.has(library) {
			return nil, fmt.Errorf("%s: not a valid manifest: library %q is not among the files", path, library)
		}
	}
	return m, nil
}

// present checks that all files exist with the right size, which is fast, unlike
// reading them.
func (m *manifest) present(folder string) error {
	var all []error
	for _, f := range m.Files {
		all = append(all, f.present(folder))
	}
	return errors.Join(all...)
}

func (f manifestFile) present(folder string) error {
	path := filepath.Join(folder, filepath.FromSlash(f.Path))
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s is missing", path)
	case err != nil:
		return fmt.Errorf("failed to look at a library's file: %w", err)
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case st.Size() != f.Size:
		return fmt.Errorf("%s has %d bytes, not %d", path, st.Size(), f.Size)
	}
	return nil
}

// verify reads the file if its size is right.
func (f manifestFile) verify(ctx context.Context, folder string) error {
	if err := f.present(folder); err != nil {
		return err
	}
	path := filepath.Join(folder, filepath.FromSlash(f.Path))
	r, _, err := bounded.Open(path)
	if err != nil {
		return fmt.Errorf("failed to verify: %w", err)
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, bounded.Until(ctx, r)); err != nil {
		return fmt.Errorf("failed to verify %s: %w", path, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != f.SHA256 {
		return fmt.Errorf("%s has sha256 %s, not %s", path, got, f.SHA256)
	}
	return nil
}

// Verify reads the files of an installation and compares them with its manifest. The
// error lists every file that is missing or differs.
func Verify(ctx context.Context, folder string) error {
	m, err := readManifest(folder)
	if err != nil {
		return err
	}
	var all []error
	for _, f := range m.Files {
		all = append(all, f.verify(ctx, folder))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return errors.Join(all...)
}
