package torch

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/carve-video/carve/internal/tensor"
)

// Limits of data.pkl and of its values. That of the largest CLIP has about 200 KB and
// makes 5 MB of values.
const (
	maxPickle = 16 << 20
	maxValues = 64 << 20
)

// maxRatio bounds the unpacked size of a compressed entry for each of its bytes. A
// DEFLATE stream cannot exceed 1032.
const maxRatio = 1100

// Unpacked entries are held in memory, so they are bounded by the length of the file:
// weights compress to half at best, and a bomb to a thousandth.
const (
	unpackedPerByte = 16
	unpackedAlways  = 32 << 20
)

// An archive is the zip file of a checkpoint.
type archive struct {
	data     []byte // the whole file
	root     string // the folder at the top, with its slash
	entries  map[string]*zip.File
	inOrder  []*zip.File
	unpacked map[string][]byte // compressed entries that have been read
	room     uint64            // bytes left for more of those
	seen     map[string]bool   // entries that were read
	taken    uint64            // their bytes in the file
}

// beforeArchives is the number that files of PyTorch before 1.6 begin with, as every
// protocol from 2 on pickles it.
var beforeArchives = []byte("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.")

func openArchive(data []byte) (*archive, error) {
	if bytes.Contains(data[:min(len(data), 32)], beforeArchives) {
		return nil, errors.New("saved in the format of PyTorch before 1.6: load it with PyTorch and save it again, or take the safetensors file")
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
			return nil, fmt.Errorf("not a PyTorch checkpoint: the archive has no directory, is the file cut off? (%w)", err)
		}
		return nil, fmt.Errorf("not a PyTorch checkpoint: it is no archive (%w)", err)
	}
	a := &archive{data: data, inOrder: z.File, entries: map[string]*zip.File{}, unpacked: map[string][]byte{}, seen: map[string]bool{}}
	a.room = unpackedAlways + unpackedPerByte*uint64(len(data))
	for _, e := range z.File {
		if a.entries[e.Name] != nil {
			return nil, fmt.Errorf("not a PyTorch checkpoint: the archive has %q twice", e.Name)
		}
		a.entries[e.Name] = e
		dir, name := path.Split(e.Name)
		if name != "data.pkl" || strings.Count(dir, "/") != 1 {
			continue
		}
		if a.root != "" {
			return nil, fmt.Errorf("not a PyTorch checkpoint: the archive has %sdata.pkl and %sdata.pkl", a.root, dir)
		}
		a.root = dir
	}
	if a.root == "" {
		return nil, errors.New("not a PyTorch checkpoint: the archive has no data.pkl")
	}
	if a.entries[a.root+"byteorder"] != nil {
		order, err := a.small("byteorder", 16)
		if err != nil {
			return nil, err
		}
		if s := strings.TrimSpace(string(order)); s != "little" {
			return nil, fmt.Errorf("it was written on a machine of byte order %q, want little", s)
		}
	}
	return a, nil
}

// small reads an entry that must exist and have at most limit bytes.
func (a *archive) small(name string, limit uint64) ([]byte, error) {
	e := a.entries[a.root+name]
	if e.UncompressedSize64 > limit {
		return nil, fmt.Errorf("%s claims %d bytes, more than the %d that are read", name, e.UncompressedSize64, limit)
	}
	b, _, err := a.read(e)
	return b, err
}

// read returns the bytes of an entry and their position in the file. It does not check
// the sums of uncompressed entries: that would read gigabytes of a file that is
// otherwise only mapped. See [File.CheckSums].
func (a *archive) read(e *zip.File) (b []byte, offset int64, err error) {
	at, err := e.DataOffset()
	if err != nil {
		return nil, 0, fmt.Errorf("failed to find %q in the archive: %w", e.Name, err)
	}
	if at < 0 || at > int64(len(a.data)) || e.CompressedSize64 > uint64(int64(len(a.data))-at) {
		return nil, 0, fmt.Errorf("%q lies outside the file", e.Name)
	}
	// Entries may be made to overlap, so that one small part of the file stands for any
	// number of storages.
	if !a.seen[e.Name] {
		a.seen[e.Name] = true
		if a.taken += e.CompressedSize64; a.taken > uint64(len(a.data)) {
			return nil, 0, fmt.Errorf("%q shares its bytes with other entries", e.Name)
		}
	}
	switch {
	case e.Flags&1 != 0:
		return nil, 0, fmt.Errorf("%q is encrypted", e.Name)
	case e.Method == zip.Deflate:
		b, err := a.unpack(e)
		return b, tensor.Nowhere, err
	case e.Method != zip.Store:
		return nil, 0, fmt.Errorf("%q is compressed by a method that is not read", e.Name)
	case e.CompressedSize64 != e.UncompressedSize64:
		return nil, 0, fmt.Errorf("%q has two lengths, %d and %d", e.Name, e.CompressedSize64, e.UncompressedSize64)
	}
	n := e.UncompressedSize64
	return a.data[at:][:n:n], at, nil
}

// unpack returns the bytes of a compressed entry. PyTorch writes none, but repacked
// files may have them.
func (a *archive) unpack(e *zip.File) ([]byte, error) {
	if b, ok := a.unpacked[e.Name]; ok {
		return b, nil
	}
	size := e.UncompressedSize64
	if size/maxRatio > e.CompressedSize64 {
		return nil, fmt.Errorf("%q claims to unpack from %d bytes to %d, which no compression does", e.Name, e.CompressedSize64, size)
	}
	if size > a.room {
		return nil, fmt.Errorf("%q unpacks to %d bytes, and all compressed entries to more than %d times what the file has", e.Name, size, unpackedPerByte)
	}
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("failed to unpack %q: %w", e.Name, err)
	}
	defer r.Close()
	// Reading to the end checks the sum.
	b := make([]byte, size)
	if _, err = io.ReadFull(r, b); err == nil {
		var n int
		n, err = r.Read(make([]byte, 1))
		if n > 0 {
			err = zip.ErrFormat
		}
	}
	if err == io.EOF {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("failed to unpack %q, which is to have %d bytes: %w", e.Name, size, err)
	}
	a.room -= size
	a.unpacked[e.Name] = b
	return b, nil
}
