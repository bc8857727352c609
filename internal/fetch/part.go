package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
)

// A part is a file that is being fetched: what there is of it, and the hash of
// that.
type part struct {
	path string
	file *os.File
	hash hash.Hash
	have int64
}

// openPart opens a part file, and hashes what an earlier attempt left in it.
func openPart(ctx context.Context, path string) (*part, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fail("write", path, err)
	}
	p := &part{path: path, file: f, hash: sha256.New()}
	if p.have, err = io.Copy(p.hash, reader{ctx, f}); err != nil {
		p.close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fail("read", path, err)
	}
	return p, nil
}

// Write appends.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	p.hash.Write(b[:n]) // a hash does not fail
	p.have += int64(n)
	return n, fail("write", p.path, err)
}

// restart forgets what there is.
func (p *part) restart() error {
	_, err := p.file.Seek(0, io.SeekStart)
	if err := errors.Join(p.file.Truncate(0), err); err != nil {
		return fail("empty", p.path, err)
	}
	p.hash.Reset()
	p.have = 0
	return nil
}

func (p *part) sum() string { return hex.EncodeToString(p.hash.Sum(nil)) }

// become gives the part its final name, when it is safe on disk.
func (p *part) become(dest string) error {
	if err := errors.Join(p.file.Sync(), p.close()); err != nil {
		return fail("write", p.path, err)
	}
	return os.Rename(p.path, dest)
}

func (p *part) remove() error {
	return errors.Join(p.close(), os.Remove(p.path))
}

func (p *part) close() error {
	if p.file == nil {
		return nil
	}
	f := p.file
	p.file = nil
	return f.Close()
}

// sumOf is the checksum of a file.
func sumOf(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return "", &os.PathError{Op: "fetch", Path: path, Err: fs.ErrExist}
	}
	h := sha256.New()
	if _, err := io.Copy(h, reader{ctx, f}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// A reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
