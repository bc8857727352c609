// Package pickle reads Python pickles without ever running anything.
//
// # Why this is safe
//
// A pickle is a program for a small stack machine. Most of its instructions make plain
// values, but some call functions named in the pickle, so that a checkpoint can take
// over the machine that loads it. Here a class is only a name, and a call is only a
// record: an [Object] holds the class, the arguments and the state, and the class is
// never looked up. Only classes that the caller allows are accepted. A pickle that
// names os.system is refused as a whole. [Plain] accepts no classes, for data that is
// only lists and dicts.
//
// # Values
//
//	None, bool        nil, bool
//	int, float        int64, float64
//	str, bytes        string, []byte
//	tuple, list       Tuple, *List
//	dict, OrderedDict *Dict
//	a class           Class
//	an instance       *Object
//
// A str of Python 2 is a string too, whatever its encoding. An int of more than 64 bits
// is refused.
//
// # Bounds
//
// The input is not trusted. Strings are cut from the input and cannot be longer than
// it, and each instruction takes time in proportion to the bytes it consumes. There are
// limits to the nesting of values and to their memory: one in proportion to the input,
// one absolute. An instruction of one byte can make a value of about fifty, so without
// limits an archive of 60 KB, whose pickle unpacks to 16 MB of such instructions, would
// take gigabytes. Nothing here recurses.
//
// The nesting limit holds while the pickle is built. A pickle can also store a
// container, recall it and put it into itself, so code that walks the result has to
// bound the depth. Tuples cannot be changed once made: through tuples alone no value
// holds itself or nests deeper than the limit.
package pickle

import (
	"cmp"
	"fmt"
)

// Limits for every pickle. The largest pickles read are the annotations of RefCOCO:
// 150,000 expressions of nine words count as 635 MB, and take 450. Python itself does
// not write containers nested deeper than about a thousand.
const (
	maxMemory = 1 << 30
	maxDepth  = 1000

	// perByte bounds the memory for a byte of input. The densest of valid pickles,
	// empty dicts that are each stored, count as 120.
	perByte = 160
)

// Options say what a pickle may hold besides plain values.
type Options struct {
	// Allow tells whether a class may occur; nil allows none. OrderedDict of the module
	// collections is always allowed: it is a *Dict.
	Allow func(Class) bool
	// Persistent returns the value for the id of something outside the pickle; nil
	// refuses them.
	Persistent func(id any) (any, error)
	// Memory bounds the memory of values in bytes; 0 is 1 GiB.
	Memory int
}

// Load reads the first pickle in data, and keeps no reference to data.
func Load(data []byte, o Options) (any, error) { return load(data, o, false) }

func load(data []byte, o Options, plain bool) (any, error) {
	m := machine{in: data, options: o, plain: plain, memo: map[int64]slot{}, pairs: len(data)}
	m.limit = min(cmp.Or(o.Memory, maxMemory), 64<<10+perByte*len(data))
	for {
		at := m.pos
		v, done, err := m.next()
		if err != nil {
			return nil, fmt.Errorf("pickle, at byte %d: %w", at, err)
		}
		if done {
			return v, nil
		}
	}
}
