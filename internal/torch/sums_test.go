package torch

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/hostile"
)

func checkSums(t *testing.T, b []byte) error {
	t.Helper()
	f, err := Parse("some.pt", b)
	if err != nil {
		t.Fatal(err)
	}
	return f.CheckSums(t.Context())
}

// Damage that leaves the structure intact is found by the sums, with the name of the
// damaged entry.
func TestCheckSums(t *testing.T) {
	packed := one(wholeStorage, entry{"m/data/0", counted(48), true}, entry{"m/extra", counted(4000), true}).bytes(t)
	stored := one(wholeStorage, entry{name: "m/data/0", data: counted(48)}, entry{name: "m/extra", data: counted(4000)}).bytes(t)
	for name, b := range map[string][]byte{"packed": packed, "stored": stored} {
		if err := checkSums(t, b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	damaged := bytes.Clone(stored)
	damaged[bytes.Index(damaged, counted(48))+7] ^= 1
	set := func(v uint32) func([]byte) { return func(r []byte) { binary.LittleEndian.PutUint32(r[16:], v) } }
	for name, c := range map[string]struct {
		b     []byte
		entry string // empty if valid
	}{
		"a bit":            {damaged, "m/data/0"},
		"no tensor's":      {forge(t, packed, "m/extra", set(1)), "m/extra"},
		"the sum":          {forge(t, stored, "m/extra", set(1)), "m/extra"},
		"no sum":           {forge(t, stored, "m/extra", set(0)), ""},
		"none of a damage": {forge(t, damaged, "m/data/0", set(0)), ""},
	} {
		err := checkSums(t, c.b)
		var sum *SumError
		if errors.As(err, &sum) != (c.entry != "") || sum != nil && (sum.Entry != c.entry || !strings.HasPrefix(err.Error(), "some.pt: ")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := Parse("some.pt", stored)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.CheckSums(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// PyTorch's own files have correct sums, and damage of 2,000 bytes is found.
func TestCheckSumsOfReferenceFiles(t *testing.T) {
	for _, name := range []string{"micro-g.openai.pt", "micro-g.torchscript.pt"} {
		b, err := os.ReadFile(filepath.Join(golden.Dir(t, "models", "micro-g"), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := checkSums(t, b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range 2000 {
			b[len(b)/2+3*i] ^= 0x55
		}
		f, err := Parse(name, b)
		if err != nil {
			continue // the damage hit the structure
		}
		var sum *SumError
		if err := f.CheckSums(t.Context()); !errors.As(err, &sum) || !strings.Contains(sum.Entry, "/data/") {
			t.Errorf("%s, damaged: %v", name, err)
		}
	}
}

// A small archive takes little memory, whatever it unpacks to.
func TestMemory(t *testing.T) {
	full := func(s string) string { return strings.Repeat(s, (maxPickle-16)/len(s)) }
	var tensors bytes.Buffer
	for i := range maxTensors + 1 {
		fmt.Fprintf(&tensors, "X\x05\x00\x00\x00%05dh\x00", i)
	}
	w := &writer{}
	w.tensor("", call{"ByteStorage", "0", 0, 0, []int64{0}, []int64{1}})
	zeros := make([]byte, 36<<20)
	for name, c := range map[string]struct {
		pickle string
		more   []byte
		want   string
	}{
		"values":       {"(" + full("N") + "t.", nil, "take more than"},
		"empty dicts":  {"(" + full("}") + "t.", nil, "take more than"},
		"put away":     {"(" + full("]\x94") + "t.", nil, "take more than"},
		"one in one":   {"N" + full("\x85") + ".", nil, "nested deeper"},
		"many tensors": {"\x80\x02" + string(w.pickle) + "q\x000}(" + tensors.String() + "u.", []byte{}, "more than 16384 tensors"},
		"bomb":         {string(one(call{"ByteStorage", "0", int64(len(zeros)), 0, []int64{1}, []int64{1}}).pickle), zeros, "unpacks to"},
	} {
		b := hostile.Zip(t, map[string][]byte{"m/data.pkl": []byte(c.pickle), "m/data/0": c.more})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse("x.pt", b)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want an error with %q", name, err, c.want)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 256<<20 {
			t.Errorf("%s: an archive of %d bytes took %d MB", name, len(b), n>>20)
		} else {
			t.Logf("%s: an archive of %d bytes took %d MB, garbage included", name, len(b), n>>20)
		}
	}
}
