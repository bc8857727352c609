package pickle

import (
	"errors"
	"fmt"
)

// The functions here take the values that an instruction consumes together with the
// error of getting them, so that step is a flat table.

// unwrap copies values out of their slots, and returns the nesting depth of a container
// of them.
func unwrap(items []slot) (values []any, depth int) {
	values = make([]any, len(items))
	for i, s := range items {
		values[i] = s.v
		depth = max(depth, s.depth)
	}
	return values, depth + 1
}

func (m *machine) tuple(items []slot, err error) error {
	if err != nil {
		return err
	}
	if err := m.charge(boxBytes + itemBytes*len(items)); err != nil {
		return err
	}
	v, depth := unwrap(items)
	return m.pushSlot(slot{Tuple(v), depth})
}

func (m *machine) list(items []slot, err error) error {
	if err != nil {
		return err
	}
	if err := m.charge(boxBytes + itemBytes*len(items)); err != nil {
		return err
	}
	v, depth := unwrap(items)
	return m.pushSlot(slot{&List{v}, depth})
}

func (m *machine) dict(items []slot, err error) error {
	if err != nil {
		return err
	}
	if err := m.charge(recordBytes + entryBytes*len(items)/2); err != nil {
		return err
	}
	d := &Dict{}
	depth, err := d.fill(items)
	if err != nil {
		return err
	}
	return m.pushSlot(slot{d, depth})
}

// fill sets keys and values given in turn, and returns their nesting depth.
func (d *Dict) fill(items []slot) (depth int, err error) {
	if len(items)%2 != 0 {
		return 0, errors.New("a dict has a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		if err := d.set(items[i].v, items[i+1].v); err != nil {
			return 0, err
		}
		depth = max(depth, items[i+1].depth)
	}
	return depth + 1, nil
}

// extend appends to the list on top.
func (m *machine) extend(items []slot, err error) error {
	if err != nil {
		return err
	}
	s, err := m.top()
	if err != nil {
		return err
	}
	l, ok := s.v.(*List)
	if !ok {
		return fmt.Errorf("the pickle appends to a value of kind %T", s.v)
	}
	if err := m.charge(itemBytes * len(items)); err != nil {
		return err
	}
	depth := 0
	for _, item := range items {
		l.Items = append(l.Items, item.v)
		depth = max(depth, item.depth)
	}
	return s.deepen(depth + 1)
}

// update sets entries of the dict on top.
func (m *machine) update(items []slot, err error) error {
	if err != nil {
		return err
	}
	s, err := m.top()
	if err != nil {
		return err
	}
	d, ok := s.v.(*Dict)
	if !ok {
		return fmt.Errorf("the pickle adds entries to a value of kind %T", s.v)
	}
	if err := m.charge(entryBytes * len(items) / 2); err != nil {
		return err
	}
	depth, err := d.fill(items)
	if err != nil {
		return err
	}
	return s.deepen(depth)
}

// deepen records the depth of something put into the value.
func (s *slot) deepen(depth int) error {
	if s.depth = max(s.depth, depth); s.depth > maxDepth {
		return errDeep
	}
	return nil
}
