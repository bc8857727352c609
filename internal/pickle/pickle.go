// Package pickle reads Python pickles without ever running anything.
//
// # Why this is safe
//
// A pickle is a program for a small stack machine. Most of its instructions
// make plain values; a few of them call what the pickle names, and that is how
// a checkpoint can take over the machine that loads it. Here a class is never
// more than its name, and a call is never more than a record of it: an [Object]
// holds the class, the arguments and the state, and nobody looks the class up.
// Even so only those classes are let through that the caller allows. A pickle
// that names os.system is not one whose other values are worth having. [Plain]
// lets none through, for what is no more than lists and dicts.
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
// A str of Python 2 is a string too, whatever its bytes mean. An int beyond 64
// bits is refused.
//
// # Bounds
//
// A stream is believed nothing. Strings are cut from the input and cannot be
// longer than it, each instruction takes time in proportion to the bytes that it
// consumes, and there are limits to the nesting of values and to the memory that
// they take: one in proportion to the input, one absolute. An instruction of one
// byte can make a value of some fifty, so without limits an archive of 60 KB, whose
// pickle unpacks to 16 MB of such instructions, would take gigabytes. Nothing here
// recurses.
//
// The nesting is that of the pickle as it is built. A pickle can also put a
// container away, recall it and put it into itself, so code that walks the result
// has to bound the depth. Tuples alone cannot be changed once made: they never
// hold themselves, and never nest deeper than the limit.
package pickle

import (
	"cmp"
	"fmt"
)

// Limits that hold for every pickle. The annotations of RefCOCO are the largest
// pickles that are read: 150,000 expressions of nine words are counted as 635 MB,
// and take 450. Python itself does not write containers nested deeper than about
// a thousand.
const (
	maxMemory = 1 << 30
	maxDepth  = 1000

	// perByte is the memory that may come of a byte of input. The densest of honest
	// pickles, empty dicts that are each put away, are counted as 120.
	perByte = 160
)

// Options say what a pickle may hold beside plain values.
type Options struct {
	// Allow tells whether a class may occur; nil allows none. OrderedDict of
	// the module collections always may: it is a *Dict.
	Allow func(Class) bool
	// Persistent is given what stands for a thing outside the pickle, and
	// returns that thing; nil refuses them.
	Persistent func(id any) (any, error)
	// Memory bounds the memory that values may take, in bytes; 0 is 1 GiB.
	Memory int
}

// Load reads the first pickle of data, and keeps no reference to data.
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
