package ortdist

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/carve-video/carve/internal/bounded"
)

// unpack writes the archive's members below dir. Other entries of the archive are
// ignored, so that their paths can do no harm.
func unpack(ctx context.Context, path string, a Archive, dir string) error {
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("failed to open archive %s: %w", a.Name, err)
	}
	if st.Size() != a.Size {
		return fmt.Errorf("archive %s has %d bytes, not %d: it is not what %s should hold", a.Name, st.Size(), a.Size, a.URL)
	}
	wanted := make(map[string]Member, len(a.Members))
	for _, m := range a.Members {
		wanted[m.From] = m
	}
	u := unpacker{ctx: ctx, dir: dir, wanted: wanted}
	switch {
	case strings.HasSuffix(a.Name, ".whl"), strings.HasSuffix(a.Name, ".zip"):
		err = u.zip(path)
	case strings.HasSuffix(a.Name, ".tgz"), strings.HasSuffix(a.Name, ".tar.gz"):
		err = u.tar(path)
	default:
		err = errors.New("neither a zip nor a tar.gz by its name")
	}
	if err != nil {
		return fmt.Errorf("failed to unpack archive %s: %w", a.Name, err)
	}
	for _, m := range a.Members {
		if _, missing := u.wanted[m.From]; missing {
			return fmt.Errorf("failed to unpack archive %s: it has no member %s", a.Name, m.From)
		}
	}
	return nil
}

// An unpacker removes members from its list as it writes them.
type unpacker struct {
	ctx    context.Context
	dir    string
	wanted map[string]Member
}

func (u unpacker) zip(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		m, ok := u.wanted[f.Name]
		if !ok {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return fmt.Errorf("member %s: %w", f.Name, err)
		}
		err = u.write(r, m, f.Mode())
		r.Close()
		if err != nil {
			return fmt.Errorf("member %s: %w", f.Name, err)
		}
		delete(u.wanted, f.Name)
	}
	return nil
}

func (u unpacker) tar(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	// Skipping members means reading too, so ctx must be able to end the reading.
	z, err := gzip.NewReader(bounded.Until(u.ctx, f))
	if err != nil {
		return err
	}
	defer z.Close()
	for t := tar.NewReader(z); len(u.wanted) > 0; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		m, ok := u.wanted[h.Name]
		if !ok {
			continue
		}
		mode := h.FileInfo().Mode()
		if h.Typeflag == tar.TypeLink { // its mode says a regular file
			mode |= fs.ModeIrregular
		}
		if err := u.write(t, m, mode); err != nil {
			return fmt.Errorf("member %s: %w", h.Name, err)
		}
		delete(u.wanted, h.Name)
	}
	return nil
}

// write writes the member's file from r, limited to the member's size.
func (u unpacker) write(r io.Reader, m Member, mode fs.FileMode) error {
	if !mode.IsRegular() {
		return errors.New("not a regular file")
	}
	path := filepath.Join(u.dir, filepath.FromSlash(m.target()))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(bounded.Until(u.ctx, r), m.Size))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if n < m.Size {
		return fmt.Errorf("only %d bytes, not %d", n, m.Size)
	}
	if more, err := io.ReadFull(r, make([]byte, 1)); more > 0 {
		return fmt.Errorf("more than %d bytes", m.Size)
	} else if err != io.EOF { // a zip checks its sum at the end
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != m.SHA256 {
		return fmt.Errorf("sha256 is %s, not %s", got, m.SHA256)
	}
	return nil
}
