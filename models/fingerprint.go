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

// fingerprint is the checksum of the checkpoint: SHA-256 of its file, or of the checksums
// of its files. It is computed once.
func (m *Model) fingerprint() (string, error) {
	m.sum.Do(func() {
		sums := make([]string, len(m.weights.paths))
		for i, name := range m.weights.paths {
			if sums[i], m.sumErr = cachedSum(filepath.Join(m.dir, name)); m.sumErr != nil {
				m.sumErr = fmt.Errorf("failed to compute the checksum of %s: %w", name, m.sumErr)
				return
			}
		}
		m.fingerprinted = sums[0]
		if len(sums) > 1 {
			h := sha256.New()
			for _, s := range sums {
				io.WriteString(h, s) // never fails
			}
			m.fingerprinted = hex.EncodeToString(h.Sum(nil))
		}
	})
	return m.fingerprinted, m.sumErr
}

// A sumRecord is the cached checksum of a file, with the state that it belongs to.
type sumRecord struct {
	Path  string `json:"path"`
	Size  int64  `json:"size"`
	Nanos int64  `json:"modified"`
	Sum   string `json:"sha256"`
}

// cachedSum is the SHA-256 of a file. It is cached by path, size and modification time:
// reading a gigabyte at every start would take longer than the rest of the start.
func cachedSum(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	current := sumRecord{Path: path, Size: st.Size(), Nanos: st.ModTime().UnixNano()}
	var recordPath string // file with the cached checksum
	if cache := ort.CacheDir(); cache != "" {
		key := sha256.Sum256([]byte(path))
		recordPath = filepath.Join(cache, "sums", hex.EncodeToString(key[:8])+".json")
		if b, err := bounded.ReadFile(recordPath, maxRecord); err == nil {
			var recorded sumRecord
			if json.Unmarshal(b, &recorded) == nil && isSum(recorded.Sum) {
				current.Sum = recorded.Sum
				if recorded == current {
					return current.Sum, nil
				}
			}
		}
	}
	if current.Sum, err = hashFile(path); err != nil {
		return "", err
	}
	if recordPath != "" {
		// A failure only costs time.
		if b, err := json.Marshal(current); err == nil && os.MkdirAll(filepath.Dir(recordPath), 0o777) == nil {
			writeAtomic(recordPath, b)
		}
	}
	return current.Sum, nil
}

// isSum reports whether s is a SHA-256 in hexadecimal. Folders are named after it.
func isSum(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

// hashFile computes the SHA-256 of a file.
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

// writeAtomic writes a file of the cache atomically. An existing file is replaced and not
// changed, because other processes may have it mapped.
func writeAtomic(path string, b []byte) error {
	// Elsewhere links are followed. In the cache they are removed: carve makes none.
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return atomicfile.WriteFile(path, b, atomicfile.Options{Overwrite: true})
}
