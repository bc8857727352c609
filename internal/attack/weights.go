//go:build linux

package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A checkpoint is a safetensors file in parts: its header and the values.
type checkpoint struct {
	head map[string]map[string]any
	body []byte
}

func readCheckpoint(path string) (*checkpoint, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < 8 || binary.LittleEndian.Uint64(data) > uint64(len(data)-8) {
		return nil, errors.New("this is no safetensors file")
	}
	n := 8 + int(binary.LittleEndian.Uint64(data))
	c := &checkpoint{body: data[n:]}
	return c, json.Unmarshal(data[8:n], &c.head)
}

func (c *checkpoint) bytes() ([]byte, error) {
	head, err := json.Marshal(c.head)
	if err != nil {
		return nil, err
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, c.body), nil
}

const (
	weightsFile = "model.safetensors"
	patchWeight = "vision_model.embeddings.patch_embedding.weight"
)

// reworked changes the weights of the demo model, which are 16-bit floats.
func reworked(name string, refuse bool, change func(r *rand.Rand, c *checkpoint)) hostileModel {
	return hostileModel{name: weightsFile + ": " + name, refuse: refuse, make: func(l *lab, dir string) error {
		path := filepath.Join(dir, weightsFile)
		c, err := readCheckpoint(path)
		if err != nil {
			return err
		}
		change(l.Rand, c)
		data, err := c.bytes()
		if err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o644)
	}}
}

// fill sets every value of the tensors whose names contain part.
func fill(part string, value uint16) func(*rand.Rand, *checkpoint) {
	return func(_ *rand.Rand, c *checkpoint) {
		for name, t := range c.head {
			offsets, ok := t["data_offsets"].([]any)
			if !ok || !strings.Contains(name, part) {
				continue
			}
			from, to := int(offsets[0].(float64)), int(offsets[1].(float64))
			for at := from; at+2 <= to; at += 2 {
				binary.LittleEndian.PutUint16(c.body[at:], value)
			}
		}
	}
}

// entryOf changes the header entry of one tensor.
func entryOf(field string, value any) func(*rand.Rand, *checkpoint) {
	return func(_ *rand.Rand, c *checkpoint) { c.head[patchWeight][field] = value }
}

// Some values of 16-bit floats.
const (
	halfNaN = 0x7e00
	halfInf = 0x7c00
	halfMax = 0x7bff
)

func hostileWeights() []hostileModel {
	list := []hostileModel{
		reworked("every weight is NaN", true, fill("", halfNaN)),
		reworked("every weight is infinite", true, fill("", halfInf)),
		reworked("every weight is 0", true, fill("", 0)),
		reworked("every weight is as large as can be", true, fill("", halfMax)),
		reworked("the picture's half is NaN", true, fill("vision_model", halfNaN)),
		reworked("the text's half is NaN", true, fill("text_model", halfNaN)),
		reworked("one norm is NaN", true, fill("vision_model.post_layernorm.weight", halfNaN)),
		reworked("the projection is 0", true, fill("visual_projection", 0)),
		reworked("the scale is infinite", true, fill("logit_scale", halfInf)),
		reworked("no tensors", true, func(_ *rand.Rand, c *checkpoint) { clear(c.head) }),
		reworked("one tensor is missing", true, func(_ *rand.Rand, c *checkpoint) { delete(c.head, patchWeight) }),
		reworked("the body is cut", true, func(_ *rand.Rand, c *checkpoint) { c.body = c.body[:len(c.body)/2] }),
		reworked("there is no body", true, func(_ *rand.Rand, c *checkpoint) { c.body = nil }),
	}
	for _, lie := range []struct {
		field string
		value any
	}{
		{"dtype", "F99"}, {"dtype", 7}, {"dtype", "I64"}, {"dtype", "\x1b[2J"}, {"dtype", nil},
		{"shape", []int{1 << 62, 4}}, {"shape", []int{-128, 3, 8, 8}}, {"shape", []int{}}, {"shape", []int{0}}, {"shape", "128"}, {"shape", slices.Repeat([]int{1}, 100_000)},
		{"data_offsets", []int{0, 1 << 62}}, {"data_offsets", []int{100, 0}}, {"data_offsets", []int{-2, 0}}, {"data_offsets", []int{0}}, {"data_offsets", []float64{0, 1e300}}, {"data_offsets", []int{0, 49152}},
	} {
		list = append(list, reworked(fmt.Sprintf("%s of a tensor is %.40v", lie.field, lie.value), true, entryOf(lie.field, lie.value)))
	}
	for _, n := range []uint64{0, 1, 1 << 20, 1 << 40, 1 << 63, 1<<64 - 1} {
		list = append(list, hostileModel{name: fmt.Sprintf("%s: the head is said to have %d bytes", weightsFile, n), refuse: true,
			make: func(_ *lab, dir string) error { return writeAt(filepath.Join(dir, weightsFile), 0, n) }})
	}
	for n := range 12 {
		list = append(list, hostileModel{name: fmt.Sprintf("%s: values changed, %d", weightsFile, n), make: func(l *lab, dir string) error {
			path := filepath.Join(dir, weightsFile)
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for range 1 << (n + 2) {
				data[len(data)/100+l.IntN(len(data)-len(data)/100)] ^= byte(1 << l.IntN(8))
			}
			return os.WriteFile(path, data, 0o644)
		}})
	}
	return list
}

func writeAt(path string, at int64, n uint64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(binary.LittleEndian.AppendUint64(nil, n), at)
	return errors.Join(err, f.Close())
}
