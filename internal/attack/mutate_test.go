//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"testing"
)

func counted(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

// A trial always makes the same mutant, other trials make others, and the original is
// not changed.
func TestMutate(t *testing.T) {
	for _, size := range []int{4, 5, 100, 10_000} {
		data := counted(size)
		different := 0
		for n := range 20 * len(mutators) {
			tr := &trial{kind: "media", group: "x", number: n}
			a, how := mutate(tr.random(1), n, data)
			b, _ := mutate(tr.random(1), n, data)
			if !bytes.Equal(a, b) {
				t.Errorf("%d, %s: made twice it differs", n, how)
			}
			if c, _ := mutate(tr.random(2), n, data); !bytes.Equal(a, c) {
				different++
			}
			if !bytes.Equal(data, counted(size)) {
				t.Fatalf("%d, %s: the original was changed", n, how)
			}
			if len(a) > 2*size || len(a) < size/2-1 {
				t.Errorf("%d, %s: %d bytes of %d", n, how, len(a), size)
			}
		}
		if size >= 100 && different < 15*len(mutators) {
			t.Errorf("of %d mutants of %d bytes %d differ with the seed", 20*len(mutators), size, different)
		}
	}
	if a, _ := mutate((&trial{}).random(1), 0, []byte("abc")); string(a) != "abc" {
		t.Errorf("of three bytes: %q", a)
	}
}

// Every mutator does damage, and small damage is as likely as large.
func TestMutatorsDamage(t *testing.T) {
	data := counted(10_000)
	for i, m := range mutators {
		same := 0
		for n := range 50 {
			if mutant, _ := mutate((&trial{group: m.name, number: n}).random(1), i, data); bytes.Equal(mutant, data) {
				same++
			}
		}
		if same > 10 {
			t.Errorf("%s: %d of 50 mutants are sound", m.name, same)
		}
	}
	small := 0
	r := (&trial{}).random(1)
	for range 1000 {
		n := extent(r, len(data))
		if n < 1 || n > len(data)/2 {
			t.Fatalf("%d bytes of %d", n, len(data))
		}
		if n < 70 { // the square root of half the size
			small++
		}
	}
	if small < 400 || small > 600 {
		t.Errorf("%d of 1000 are small", small)
	}
}

// In an archive a byte inside an entry is changed: its checksum is wrong, and nothing
// else.
func TestCorruptEntry(t *testing.T) {
	data, err := archive(member{name: "m/data.pkl", data: counted(500)}, member{name: "m/small", data: counted(3)}, member{name: "m/data/0", data: counted(5000), pad: 100})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		mutant, err := corruptEntry((&trial{number: n}).random(1), data)
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(mutant), int64(len(mutant)))
		if err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		wrong := 0
		for _, f := range z.File {
			r, err := f.Open()
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			if errors.Is(err, zip.ErrChecksum) {
				wrong++
			} else if err != nil {
				t.Errorf("%d: %s: %v", n, f.Name, err)
			}
		}
		if wrong != 1 {
			t.Errorf("%d: %d entries have a wrong checksum", n, wrong)
		}
	}
}
