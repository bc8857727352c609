//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
)

// A member is a file in an archive.
type member struct {
	name string
	data []byte
	thin bool // compressed
	pad  int  // number of zeros after the data
}

// archive makes a .pt file: a zip whose data.pkl describes the other members.
func archive(members ...member) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Store}
		if m.thin {
			h.Method = zip.Deflate
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write(m.data)
		}
		zeros := make([]byte, 1<<20)
		for left := m.pad; left > 0 && err == nil; left -= len(zeros) {
			_, err = w.Write(zeros[:min(left, len(zeros))])
		}
		if err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// pickled is an archive of a pickle and one storage that it may refer to.
func pickled(name string, pickle func() string) hostileModel {
	return zipped(name, func() []member {
		return []member{{name: "m/data.pkl", data: []byte(pickle()), thin: true}, {name: "m/data/0", pad: 64}, {name: "m/version", data: []byte("3\n")}}
	})
}

func zipped(name string, members func() []member) hostileModel {
	return hostileModel{name: name, refuse: true, file: true, make: func(_ *lab, path string) error {
		data, err := archive(members()...)
		return errors.Join(err, os.WriteFile(path, data, 0o644))
	}}
}

// word puts a text on the pickle's stack.
func word(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func long(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

// tensorOf describes a tensor in a storage, with the given numbers.
func tensorOf(key string, count, offset int64, shape, stride []int64) string {
	tuple := func(n []int64) string {
		s := "("
		for _, v := range n {
			s += long(v)
		}
		return s + "t"
	}
	return "ctorch._utils\n_rebuild_tensor_v2\n((" + word("storage") + "ctorch\nFloatStorage\n" + word(key) + word("cpu") + long(count) +
		"tQ" + long(offset) + tuple(shape) + tuple(stride) + "\x89ccollections\nOrderedDict\n)RtR"
}

func stateOf(tensor string) string { return "\x80\x02}(" + word("visual.proj") + tensor + "u." }

func hostilePickles() []hostileModel {
	lie := func(name string, count, offset int64, shape, stride []int64) hostileModel {
		return pickled("pickle: "+name, func() string { return stateOf(tensorOf("0", count, offset, shape, stride)) })
	}
	return []hostileModel{
		pickled("pickle: runs a command", func() string { return "\x80\x02cos\nsystem\n(" + word("id >owned") + "tR." }),
		pickled("pickle: runs eval by reduce", func() string { return "\x80\x02cbuiltins\neval\n(" + word("1") + "tR." }),
		pickled("pickle: 16 million values", func() string { return "\x80\x02(" + strings.Repeat("N", 16<<20) + "l." }),
		pickled("pickle: 16 million marks", func() string { return "\x80\x02" + strings.Repeat("(", 16<<20) + "." }),
		pickled("pickle: 8 million lists", func() string { return "\x80\x02(" + strings.Repeat("]", 8<<20) + "l." }),
		pickled("pickle: lists in lists", func() string {
			return "\x80\x02" + strings.Repeat("]", 1<<20) + strings.Repeat("a", 1<<20-1) + "."
		}),
		pickled("pickle: doubled tuples", func() string { return "\x80\x02N" + strings.Repeat("2\x86", 1<<16) + "." }),
		pickled("pickle: a list in itself", func() string { return "\x80\x02]q\x00h\x00a." }),
		pickled("pickle: a memo of 2^31", func() string { return "\x80\x02Nr\xff\xff\xff\x7f." }),
		pickled("pickle: text of 4 GB", func() string { return "\x80\x02X\xff\xff\xff\xffabc." }),
		pickled("pickle: text of 2^63 bytes", func() string { return "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc." }),
		pickled("pickle: a number of a million digits", func() string { return "L" + strings.Repeat("9", 1_000_000) + "L\n." }),
		pickled("pickle: a number of 4 GB", func() string { return "\x80\x02\x8b\xff\xff\xff\x7f1." }),
		pickled("pickle: nothing", func() string { return "" }),
		pickled("pickle: no end", func() string { return "\x80\x02}" }),
		pickled("pickle: protocol 255", func() string { return "\x80\xff}." }),
		pickled("pickle: control characters", func() string { return "\x80\x02c\x1b[2J\n\x1b]0;owned\x07\n." }),
		pickled("pickle: noise", func() string { return string(noise()) }),
		lie("a storage of 2^62 values", 1<<62, 0, []int64{4}, []int64{1}),
		lie("a shape of 2^62", 16, 0, []int64{1 << 31, 1 << 31}, []int64{1, 1}),
		lie("a shape that overflows to 0", 16, 0, []int64{1 << 32, 1 << 32}, []int64{0, 0}),
		lie("a negative shape", 16, 0, []int64{-4, -4}, []int64{1, 1}),
		lie("a stride of 0", 16, 0, []int64{1 << 20, 1 << 14}, []int64{0, 0}),
		lie("a negative stride", 16, 15, []int64{4}, []int64{-1}),
		lie("an offset behind the end", 16, 1<<40, []int64{4}, []int64{1}),
		pickled("pickle: a storage that is not there", func() string { return stateOf(tensorOf("../../etc/passwd", 16, 0, []int64{4}, []int64{1})) }),
		zipped("archive: no pickle", func() []member { return []member{{name: "m/version", data: []byte("3\n")}} }),
		zipped("archive: two pickles", func() []member {
			return []member{{name: "m/data.pkl", data: []byte("\x80\x02}.")}, {name: "m/data.pkl", data: []byte("\x80\x02].")}}
		}),
		zipped("archive: a pickle of 1 GB from 1 MB", func() []member { return []member{{name: "m/data.pkl", pad: 1 << 30, thin: true}} }),
		zipped("archive: names that climb", func() []member {
			return []member{{name: "../../data.pkl", data: []byte("\x80\x02}.")}, {name: "/data/0", pad: 64}}
		}),
		zipped("archive: 60,000 members", func() (members []member) {
			for i := range 60_000 {
				members = append(members, member{name: fmt.Sprintf("m/data/%d", i)})
			}
			return append(members, member{name: "m/data.pkl", data: []byte("\x80\x02}.")})
		}),
	}
}

// corruptEntry changes bytes inside a member of a zip, and nothing else.
func corruptEntry(r *rand.Rand, data []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	var large []*zip.File
	for _, f := range z.File {
		if f.CompressedSize64 >= 64 {
			large = append(large, f)
		}
	}
	if len(large) == 0 {
		return nil, errors.New("there is nothing large in the archive")
	}
	f := large[r.IntN(len(large))]
	at, err := f.DataOffset()
	if err != nil {
		return nil, err
	}
	out := slices.Clone(data)
	for range 1 + r.IntN(64) {
		out[at+r.Int64N(int64(f.CompressedSize64))] ^= byte(1 << r.IntN(8))
	}
	if bytes.Equal(out, data) { // the same bit was flipped twice
		out[at] ^= 1
	}
	return out, nil
}
