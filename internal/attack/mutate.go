//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// A mutator damages a file in one way. It works on a copy, and describes what it did.
type mutator struct {
	name   string
	damage func(r *rand.Rand, data []byte) (mutant []byte, how string)
}

// mutators are the ways in which files break, taken in turn.
var mutators = []mutator{
	{"truncate", truncate},
	{"zero", zero},
	{"flip-head", flip(0, 0.1)},
	{"flip-body", flip(0.1, 0.9)},
	{"flip-tail", flip(0.9, 1)},
	{"insert", insert},
	{"delete", remove},
	{"swap", swap},
	{"double", double},
	{"lie", corruptLength},
}

// mutate makes the mutant with a number. It uses mutator n modulo their number; r
// decides where and how much.
func mutate(r *rand.Rand, number int, data []byte) (mutant []byte, how string) {
	m := mutators[number%len(mutators)]
	if len(data) < 4 {
		return slices.Clone(data), "too small to be damaged"
	}
	mutant, how = m.damage(r, data)
	return mutant, m.name + " " + how
}

// extent returns how many bytes to damage: from one to half of the file, on a
// logarithmic scale.
func extent(r *rand.Rand, size int) int {
	most := max(size/2, 1)
	return min(int(math.Exp(r.Float64()*math.Log(float64(most)+1))), most)
}

// part returns a range of this many bytes at any place.
func part(r *rand.Rand, size int) (from, to int) {
	n := extent(r, size)
	from = r.IntN(size - n + 1)
	return from, from + n
}

func truncate(r *rand.Rand, data []byte) ([]byte, string) {
	n := len(data) - extent(r, len(data))
	return slices.Clone(data[:n]), fmt.Sprintf("to %d of %d bytes", n, len(data))
}

func zero(r *rand.Rand, data []byte) ([]byte, string) {
	out := slices.Clone(data)
	from, to := part(r, len(data))
	clear(out[from:to])
	return out, fmt.Sprintf("bytes %d to %d", from, to)
}

// flip changes single bytes in a part of the file, given as shares.
func flip(from, to float64) func(*rand.Rand, []byte) ([]byte, string) {
	return func(r *rand.Rand, data []byte) ([]byte, string) {
		out := slices.Clone(data)
		low := int(from * float64(len(data)))
		high := max(int(to*float64(len(data))), low+1)
		n := min(1+r.IntN(1<<r.IntN(8)), high-low)
		for range n {
			out[low+r.IntN(high-low)] ^= byte(1 + r.IntN(255))
		}
		return out, fmt.Sprintf("%d bytes from %d to %d", n, low, high)
	}
}

func insert(r *rand.Rand, data []byte) ([]byte, string) {
	at, noise := r.IntN(len(data)+1), make([]byte, extent(r, len(data)))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	return slices.Concat(data[:at], noise, data[at:]), fmt.Sprintf("%d bytes at %d", len(noise), at)
}

func remove(r *rand.Rand, data []byte) ([]byte, string) {
	from, to := part(r, len(data))
	return slices.Concat(data[:from], data[to:]), fmt.Sprintf("bytes %d to %d", from, to)
}

func double(r *rand.Rand, data []byte) ([]byte, string) {
	from, to := part(r, len(data))
	return slices.Concat(data[:to], data[from:]), fmt.Sprintf("bytes %d to %d", from, to)
}

// swap exchanges two ranges that do not overlap.
func swap(r *rand.Rand, data []byte) ([]byte, string) {
	out := slices.Clone(data)
	n := extent(r, len(data))
	a := r.IntN(len(data) - 2*n + 1)
	b := a + n + r.IntN(len(data)-2*n-a+1)
	copy(out[a:a+n], data[b:b+n])
	copy(out[b:b+n], data[a:a+n])
	return out, fmt.Sprintf("%d bytes at %d and at %d", n, a, b)
}

// corruptLength changes a field that may be a length: a 32-bit number that is not
// larger than the rest of the file, as in boxes, chunks and directories.
func corruptLength(r *rand.Rand, data []byte) ([]byte, string) {
	type field struct {
		at    int
		order binary.ByteOrder
	}
	var fields []field
	for at := 0; at+4 <= len(data); at++ {
		for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
			if v := order.Uint32(data[at:]); v >= 4 && int64(v) <= int64(len(data)-at) {
				fields = append(fields, field{at, order})
			}
		}
	}
	f := field{r.IntN(len(data) - 3), binary.BigEndian}
	if len(fields) > 0 {
		f = fields[r.IntN(len(fields))]
	}
	v := f.order.Uint32(data[f.at:])
	lies := []uint32{0, 1, v - 1, v + 1, 2 * v, math.MaxInt32, math.MaxUint32, r.Uint32()}
	lied := lies[r.IntN(len(lies))]
	out := slices.Clone(data)
	f.order.PutUint32(out[f.at:], lied)
	return out, fmt.Sprintf("%d for %d at %d, %v", lied, v, f.at, f.order)
}
