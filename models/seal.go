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

// A built graph is sealed: a file beside it, written last, lists the others with
// their sizes and checksums. Without it, or with other sizes, a folder is what a
// crash left. Other checksums are damage that would give other results and no
// error: bits that a disk lost, or a change by hand.
//
// The sums are CRC-32C, for which CPUs have an instruction, and are computed
// while the runtime loads the same files, so that they add little to a start:
// docs/performance.md says how much. They do not protect from an attacker, who
// could write the seal as well.

// sealFile has a name of its own since there are checksums in it: what was built
// before is built once more.
const sealFile = "seal.json"

// A seal is what the files of a folder are, by their names.
type seal map[string]sealed

type sealed struct {
	Size   int64  `json:"size"`
	CRC32C uint32 `json:"crc32c"`
}

// writeSeal seals the files of a folder.
func writeSeal(dir string) error {
	s := seal{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if s[e.Name()], err = sealOf(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, sealFile), b)
}

// readSeal reads the seal of a folder. One that names other files than those of
// a graph is none.
func readSeal(dir string) (seal, error) {
	b, err := bounded.ReadFile(filepath.Join(dir, sealFile), maxNote)
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

// complete tells whether a folder has all files of a graph, at their sizes.
func complete(dir string) bool {
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

// check compares a file of the folder with what was sealed.
func (s seal) check(dir, name string) error {
	path := filepath.Join(dir, name)
	is, err := sealOf(path)
	if err != nil {
		return err
	}
	if want := s[name]; is != want {
		return fmt.Errorf("%s is damaged: it has %d bytes of checksum %08x, not %d of %08x", path, is.Size, is.CRC32C, want.Size, want.CRC32C)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealOf reads a file.
func sealOf(path string) (sealed, error) {
	f, _, err := bounded.Open(path)
	if err != nil {
		return sealed{}, err
	}
	defer f.Close()
	var is sealed
	b := make([]byte, 1<<20)
	for {
		n, err := f.Read(b)
		is.Size += int64(n)
		is.CRC32C = crc32.Update(is.CRC32C, castagnoli, b[:n])
		if err == io.EOF {
			return is, nil
		}
		if err != nil {
			return sealed{}, err
		}
	}
}

// openSealed loads a session from the files of a folder, and checks all of them.
// The graph, which is small, comes first, so that no damaged one is parsed.
// The weights are read while the session opens; if they turn out to be damaged
// it is closed again.
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
