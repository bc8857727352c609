package pickle

import "fmt"

// A Class is the name of a class, or of any other thing in a module.
type Class struct{ Module, Name string }

// String returns the name with its module, as in Python.
func (c Class) String() string { return c.Module + "." + c.Name }

// A Tuple is a tuple.
type Tuple []any

// A List is a list. It is always used as a pointer, because a pickle may fill a list
// that it has already put elsewhere.
type List struct{ Items []any }

// An Object is the record of a call: what was called, the arguments, and the state that
// was set afterwards, if any.
type Object struct {
	Class Class
	Args  Tuple
	State any
}

// A Dict is a dict in the order of its entries. Its keys are strings, numbers, bools or
// nil. Keys of two kinds are always different (in Python, 1 and True are equal). Of two
// equal keys the later value counts.
type Dict struct {
	Keys, Values []any
	at           map[any]int
}

// Get returns the value of a string key.
func (d *Dict) Get(key string) (any, bool) {
	i, ok := d.at[key]
	if !ok {
		return nil, false
	}
	return d.Values[i], true
}

func (d *Dict) set(key, value any) error {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default:
		return fmt.Errorf("a dict has a key of kind %T, which is not read", key)
	}
	if i, ok := d.at[key]; ok {
		d.Values[i] = value
		return nil
	}
	if d.at == nil {
		d.at = map[any]int{}
	}
	d.at[key] = len(d.Keys)
	d.Keys, d.Values = append(d.Keys, key), append(d.Values, value)
	return nil
}
