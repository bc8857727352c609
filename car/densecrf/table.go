package densecrf

import (
	"math/bits"
	"sync/atomic"
)

// A key is the first d coordinates of a lattice vertex, packed: the sum of coordinate i
// times 2^(16i). Adding keys therefore adds vertices.
type key struct {
	lo uint64 // coordinates 0 to 3
	hi uint32 // coordinate 4
}

func pack(coordinates []int32) key {
	var k key
	for i, v := range coordinates {
		if i < 4 {
			k.lo += uint64(int64(v)) << (16 * i)
		} else {
			k.hi = uint32(v)
		}
	}
	return k
}

func (k key) plus(o key) key { return key{k.lo + o.lo, k.hi + o.hi} }

func (k key) hash() uint64 {
	// Multiply and fold: the high half of the product depends on all bits.
	h, l := bits.Mul64(k.lo^0x9e3779b97f4a7c15, uint64(k.hi)<<32^0xd1b54a32d192ed03^k.lo>>7)
	return h ^ l
}

// A table numbers keys from 1. It is open-addressed with linear probing, at most half
// full, and several goroutines may add to it at a time. Each reserves a run of numbers,
// so that keys that it adds one after the other have numbers close to each other. At
// the end of a run some numbers may remain without a key.
type table struct {
	slot []int32 // numbers, 0 where free
	keys []key   // by number; blank where there is none
	last atomic.Int64
	full atomic.Bool // some key was not added
}

// blank is not the key of any vertex: the first coordinate of a vertex has 16 bits.
var blank = key{lo: 1 << 63, hi: 1 << 31}

// A run is a range of numbers reserved by one goroutine.
type run struct{ next, end int32 }

const runLength = 256

// reset empties the table and makes room for n keys.
func (t *table) reset(n int) {
	size := 1 << bits.Len(uint(max(2*n, 64)))
	t.slot, t.keys = grow(t.slot, size), grow(t.keys, size/2+1)
	clear(t.slot)
	t.last.Store(1)
	t.full.Store(false)
}

// numbers is one more than the largest number reserved.
func (t *table) numbers() int { return int(t.last.Load()) }

// nextNumber makes sure that r is not empty, and reports false if the table is full.
func (t *table) nextNumber(r *run) bool {
	if r.next < r.end {
		return true
	}
	end := t.last.Add(runLength)
	if end > int64(len(t.keys)) {
		t.last.Add(-runLength)
		t.full.Store(true)
		return false
	}
	r.next, r.end = int32(end-runLength), int32(end)
	for i := r.next; i < r.end; i++ {
		t.keys[i] = blank
	}
	return true
}

// add returns the number of k, or 0 if the table is full. A new key gets the next
// number of the run.
func (t *table) add(k key, r *run) int32 {
	mask := uint64(len(t.slot) - 1)
	for i := k.hash() & mask; ; i = (i + 1) & mask {
		id := atomic.LoadInt32(&t.slot[i])
		if id == 0 {
			if !t.nextNumber(r) {
				return 0
			}
			t.keys[r.next] = k
			if atomic.CompareAndSwapInt32(&t.slot[i], 0, r.next) {
				r.next++
				return r.next - 1
			}
			t.keys[r.next] = blank
			id = atomic.LoadInt32(&t.slot[i])
		}
		if t.keys[id] == k {
			return id
		}
	}
}

// probe returns the number in the first slot of k, where find starts. Probing several
// keys before finding them lets the processor fetch their memory at the same time.
func (t *table) probe(k key) int32 {
	return atomic.LoadInt32(&t.slot[k.hash()&uint64(len(t.slot)-1)])
}

// find returns the number of k, or 0. It must not run concurrently with add.
func (t *table) find(k key) int32 {
	mask := uint64(len(t.slot) - 1)
	for i := k.hash() & mask; ; i = (i + 1) & mask {
		if id := t.slot[i]; id == 0 || t.keys[id] == k {
			return id
		}
	}
}
