package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/ort"
)

// fingerprint is the checksum of the checkpoint: SHA-256 of its file, or of the
// checksums of its files. It is computed once and remembered.
func (m *Model) fingerprint() (string, error) {
	m.sum.Do(func() {
		sums := make([]string, len(m.weights.paths))
		for i, name := range m.weights.paths {
			if sums[i], m.sumErr = sumOf(filepath.Join(m.dir, name)); m.sumErr != nil {
				m.sumErr = fmt.Errorf("failed to compute the checksum of %s: %w", name, m.sumErr)
				return
			}
		}
		m.fingerprinted = sums[0]
		if len(sums) > 1 {
			h := sha256.New()
			for _, s := range sums {
				io.WriteString(h, s) // a hash does not fail
			}
			m.fingerprinted = hex.EncodeToString(h.Sum(nil))
		}
	})
	return m.fingerprinted, m.sumErr
}

// A stamp says which state of a file a checksum belongs to.
type stamp struct {
	Path  string `json:"path"`
	Size  int64  `json:"size"`
	Nanos int64  `json:"modified"`
	Sum   string `json:"sha256"`
}

// sumOf is the SHA-256 of a file. Reading a gigabyte at every start would cost
// more than all the rest of it, so it is remembered by path, size and time of
// the last change.
func sumOf(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	now := stamp{Path: path, Size: st.Size(), Nanos: st.ModTime().UnixNano()}
	var note string // where it is remembered
	if cache := ort.CacheDir(); cache != "" {
		key := sha256.Sum256([]byte(path))
		note = filepath.Join(cache, "sums", hex.EncodeToString(key[:8])+".json")
		if b, err := bounded.ReadFile(note, maxNote); err == nil {
			var then stamp
			if json.Unmarshal(b, &then) == nil && isSum(then.Sum) {
				now.Sum = then.Sum
				if then == now {
					return now.Sum, nil
				}
			}
		}
	}
	if now.Sum, err = hashFile(path); err != nil {
		return "", err
	}
	if note != "" {
		// Not being able to remember costs time, no more.
		if b, err := json.Marshal(now); err == nil && os.MkdirAll(filepath.Dir(note), 0o777) == nil {
			writeWhole(note, b)
		}
	}
	return now.Sum, nil
}

// isSum tells whether s is a SHA-256 in hexadecimal. Folders are named after it.
func isSum(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

// hashFile reads a file for its SHA-256.
func hashFile(path string) (string, error) {
	f, _, err := bounded.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeWhole writes a file of the cache so that nobody ever sees a part of it, and
// so that it is replaced and never changed: others may have it mapped.
func writeWhole(path string, b []byte) error {
	// Elsewhere a link is followed. In the cache it is not ours.
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return atomicfile.WriteFile(path, b, atomicfile.Options{Overwrite: true})
}
