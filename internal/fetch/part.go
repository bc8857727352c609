package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"

	"github.com/carve-video/carve/internal/bounded"
)

// A part is a file that is being fetched: the bytes so far, and their hash.
type part struct {
	path    string
	file    *os.File
	hash    hash.Hash
	have    int64
	resumed int64 // of have, the bytes left by an earlier attempt
	pieced  bool  // from more than one answer, so that the pieces may not match
}

var errNotFile = errors.New("there is something that is not a file")

// openPart opens a part file, and hashes what an earlier attempt left in it.
func openPart(ctx context.Context, path string) (*part, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, newDiskError("write", path, err)
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		f.Close()
		return nil, newDiskError("write", path, errors.Join(err, errNotFile))
	}
	p := &part{path: path, file: f, hash: sha256.New()}
	if p.have, err = io.Copy(p.hash, bounded.Until(ctx, f)); err != nil {
		f.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, newDiskError("read", path, err)
	}
	p.resumed = p.have
	return p, nil
}

// Write appends to the part.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	p.hash.Write(b[:n]) // a hash does not fail
	p.have += int64(n)
	return n, newDiskError("write", p.path, err)
}

// restart discards the bytes so far.
func (p *part) restart() error {
	_, err := p.file.Seek(0, io.SeekStart)
	if err := errors.Join(p.file.Truncate(0), err); err != nil {
		return newDiskError("empty", p.path, err)
	}
	p.hash.Reset()
	p.have, p.resumed, p.pieced = 0, 0, false
	return nil
}

func (p *part) sum() string { return hex.EncodeToString(p.hash.Sum(nil)) }

// finish syncs the part and gives it its final name.
func (p *part) finish(dest string) error {
	f := p.file
	p.file = nil
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return newDiskError("write", p.path, err)
	}
	return newDiskError("rename", p.path, os.Rename(p.path, dest))
}

// close ends the work on an incomplete part. It stays for the next attempt, unless it
// is empty.
func (p *part) close() error {
	if p.file == nil {
		return nil
	}
	f := p.file
	p.file = nil
	err := f.Close()
	if p.have == 0 {
		err = errors.Join(err, os.Remove(p.path))
	}
	return newDiskError("close", p.path, err)
}

// sumOf returns the checksum of a file.
func sumOf(ctx context.Context, path string) (string, error) {
	f, _, err := bounded.Open(path)
	var irregular *bounded.IrregularError
	if errors.As(err, &irregular) {
		return "", &diskError{"replace what is there", err}
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, bounded.Until(ctx, f)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
