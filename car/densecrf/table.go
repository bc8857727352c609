package densecrf

import "math/bits"

// A key is the first d coordinates of a lattice vertex, 16 bits each.
type key struct {
	lo uint64 // coordinates 0 to 3
	hi uint32 // coordinate 4
}

func (k *key) set(i int, v int16) {
	if i < 4 {
		k.lo |= uint64(uint16(v)) << (16 * i)
	} else {
		k.hi = uint32(uint16(v))
	}
}

func (k key) at(i int) int16 {
	if i < 4 {
		return int16(k.lo >> (16 * i))
	}
	return int16(k.hi)
}

// step returns the next key along axis j of a d-dimensional lattice.
func (k key) step(j, d int) key {
	var s key
	for i := range d {
		v := k.at(i) + 1
		if i == j {
			v = k.at(i) - int16(d)
		}
		s.set(i, v)
	}
	return s
}

func (k key) hash() uint64 {
	// Multiply and fold: the high half of the product depends on all bits.
	h, l := bits.Mul64(k.lo^0x9e3779b97f4a7c15, uint64(k.hi)<<32^0xd1b54a32d192ed03^k.lo>>7)
	return h ^ l
}

// A table numbers keys from 1 in the order in which they are first added. It is
// open-addressed with linear probing, at most half full.
type table struct {
	slot []slot
	keys []key // keys[id]; keys[0] is unused
}

type slot struct {
	lo uint64
	hi uint32
	id int32 // 0: free
}

// len is the number of keys.
func (t *table) len() int { return max(len(t.keys)-1, 0) }

// reset empties the table and makes room for about n keys.
func (t *table) reset(n int) {
	size := 1 << bits.Len(uint(max(2*n, 64)))
	if cap(t.slot) >= size {
		t.slot = t.slot[:size]
		clear(t.slot)
	} else {
		t.slot = make([]slot, size)
	}
	t.keys = append(t.keys[:0], key{})
}

// add returns the number of k, giving it one if it has none.
func (t *table) add(k key) int32 {
	mask := uint64(len(t.slot) - 1)
	i := k.hash() & mask
	for {
		s := &t.slot[i]
		if s.id == 0 {
			id := int32(len(t.keys))
			*s = slot{k.lo, k.hi, id}
			t.keys = append(t.keys, k)
			if 2*len(t.keys) > len(t.slot) {
				t.double()
			}
			return id
		}
		if s.lo == k.lo && s.hi == k.hi {
			return s.id
		}
		i = (i + 1) & mask
	}
}

// find returns the number of k, or 0.
func (t *table) find(k key) int32 {
	mask := uint64(len(t.slot) - 1)
	for i := k.hash() & mask; ; i = (i + 1) & mask {
		s := &t.slot[i]
		if s.id == 0 || s.lo == k.lo && s.hi == k.hi {
			return s.id
		}
	}
}

func (t *table) double() {
	t.slot = make([]slot, 2*len(t.slot))
	mask := uint64(len(t.slot) - 1)
	for id := 1; id < len(t.keys); id++ {
		k := t.keys[id]
		i := k.hash() & mask
		for t.slot[i].id != 0 {
			i = (i + 1) & mask
		}
		t.slot[i] = slot{k.lo, k.hi, int32(id)}
	}
}
