package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/ort"
)

// A built graph has a seal: a file that is written last and lists the other files of the
// folder with their sizes and checksums. A folder without a seal, or with other sizes, was
// left by a crash. Other checksums mean damage that would change results without an error:
// bits that a disk lost, or a change by hand.
//
// The checksums are CRC-32C, for which CPUs have an instruction. They are computed while
// the runtime loads the same files, so that they add little to a start (see
// docs/performance.md). They do not protect against an attacker, who could write the seal
// as well.

// sealFile is the name of a seal. Graphs of versions without checksums have another one,
// and are built again.
const sealFile = "seal.json"

// A seal has the size and checksum of each file of a folder.
type seal map[string]fileSum

type fileSum struct {
	Size   int64  `json:"size"`
	CRC32C uint32 `json:"crc32c"`
}

// writeSeal writes the seal of a folder.
func writeSeal(dir string) error {
	s := seal{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if s[e.Name()], err = sumFile(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return writeAtomic(filepath.Join(dir, sealFile), b)
}

// readSeal reads the seal of a folder. It is an error if it lists other files than those of
// a graph.
func readSeal(dir string) (seal, error) {
	b, err := bounded.ReadFile(filepath.Join(dir, sealFile), maxRecord)
	if err != nil {
		return nil, err
	}
	var s seal
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", sealFile, err)
	}
	for _, name := range []string{graphFile, weightsOfGraph} {
		if _, ok := s[name]; !ok {
			return nil, fmt.Errorf("%s has no %s", sealFile, name)
		}
	}
	if len(s) != 2 {
		return nil, fmt.Errorf("%s has %d files, want 2", sealFile, len(s))
	}
	return s, nil
}

// isComplete reports whether a folder has all files of a graph, with the right sizes.
func isComplete(dir string) bool {
	s, err := readSeal(dir)
	if err != nil {
		return false
	}
	for name, want := range s {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !st.Mode().IsRegular() || st.Size() != want.Size {
			return false
		}
	}
	return true
}

// check compares a file of the folder with the seal.
func (s seal) check(dir, name string) error {
	path := filepath.Join(dir, name)
	is, err := sumFile(path)
	if err != nil {
		return err
	}
	if want := s[name]; is != want {
		return fmt.Errorf("%s is damaged: it has %d bytes of checksum %08x, not %d of %08x", path, is.Size, is.CRC32C, want.Size, want.CRC32C)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumFile computes the size and checksum of a file.
func sumFile(path string) (fileSum, error) {
	f, _, err := bounded.Open(path)
	if err != nil {
		return fileSum{}, err
	}
	defer f.Close()
	var is fileSum
	b := make([]byte, 1<<20)
	for {
		n, err := f.Read(b)
		is.Size += int64(n)
		is.CRC32C = crc32.Update(is.CRC32C, castagnoli, b[:n])
		if err == io.EOF {
			return is, nil
		}
		if err != nil {
			return fileSum{}, err
		}
	}
}

// openSealed loads a session from the files of a folder, and checks all of them. The graph,
// which is small, is checked first, so that a damaged one is not parsed. The weights are
// checked while the session opens; if they are damaged it is closed again.
func openSealed(dir string, load func() (*ort.Session, error)) (*ort.Session, error) {
	s, err := readSeal(dir)
	if err == nil {
		err = s.check(dir, graphFile)
	}
	if err != nil {
		return nil, err
	}
	checked := make(chan error, 1)
	go func() { checked <- s.check(dir, weightsOfGraph) }()
	session, err := load()
	if damage := <-checked; damage != nil {
		return nil, errors.Join(damage, session.Close())
	}
	return session, err
}
