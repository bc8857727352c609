//go:build linux

package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

// A snapshot is the state of a folder: an entry for every path below it.
type snapshot map[string]entry

// An entry is everything about a file that must not change: for a regular file its
// type, permissions and content, for a link its target.
type entry struct {
	mode fs.FileMode
	size int64
	sum  [sha256.Size]byte
	link string
}

// hashLimit bounds how much of a file is read; larger ones are sparse.
const hashLimit = 64 << 20

func takeSnapshot(root string) (snapshot, error) {
	s := snapshot{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		s[name], err = look(path)
		if errors.Is(err, fs.ErrNotExist) { // gone since the folder was read
			delete(s, name)
			return nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking at what is in %s: %w", root, err)
	}
	return s, nil
}

func look(path string) (entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return entry{}, err
	}
	e := entry{mode: info.Mode()}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		e.link, err = os.Readlink(path)
		return e, err
	case !info.Mode().IsRegular():
		return e, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return e, err
	}
	defer f.Close()
	h := sha256.New()
	if e.size = info.Size(); e.size > hashLimit {
		_, err = io.CopyN(h, f, hashLimit)
	} else {
		e.size, err = io.Copy(h, f)
	}
	h.Sum(e.sum[:0])
	return e, err
}

// added lists the names in after that are not in s; changed lists the names in s that
// differ in after.
func (s snapshot) added(after snapshot) []string {
	var names []string
	for name := range after {
		if _, ok := s[name]; !ok {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func (s snapshot) changed(after snapshot) []string {
	var names []string
	for name, e := range s {
		if after[name] != e {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}
