package pickle

import (
	"errors"
	"fmt"
	"strconv"
)

var orderedDict = Class{"collections", "OrderedDict"}

// A ClassError says that a pickle names a class that is not allowed.
type ClassError struct{ Class Class }

func (e *ClassError) Error() string {
	return fmt.Sprintf("class %s is not allowed: only tensors and plain containers are read, and nothing is ever run", printable(e.Class.String()))
}

// class pushes a class by its name.
func (m *machine) class(module, name string) error {
	c := Class{module, name}
	if m.plain || c != orderedDict && (m.options.Allow == nil || !m.options.Allow(c)) {
		return &ClassError{c}
	}
	return m.push(c)
}

// classOf pushes the class whose module and name are on the stack.
func (m *machine) classOf(names []slot, err error) error {
	if err != nil {
		return err
	}
	module, ok1 := names[0].v.(string)
	name, ok2 := names[1].v.(string)
	if !ok1 || !ok2 {
		return errors.New("the pickle names a class by something that is no string")
	}
	return m.class(module, name)
}

// call pushes the record of a call.
func (m *machine) call(parts []slot, err error) error {
	if err != nil {
		return err
	}
	class, ok := parts[0].v.(Class)
	if !ok {
		return fmt.Errorf("the pickle calls a value of kind %T", parts[0].v)
	}
	args, ok := parts[1].v.(Tuple)
	if !ok {
		return fmt.Errorf("the pickle calls %s with a value of kind %T", printable(class.String()), parts[1].v)
	}
	if err := m.charge(recordBytes); err != nil {
		return err
	}
	depth := parts[1].depth + 1
	if class != orderedDict {
		return m.pushSlot(slot{&Object{Class: class, Args: args}, depth})
	}
	d := &Dict{}
	if len(args) > 0 {
		if err := m.fillPairs(d, args[0]); err != nil {
			return fmt.Errorf("an OrderedDict is not made of a list of pairs: %w", err)
		}
	}
	return m.pushSlot(slot{d, depth})
}

// fillPairs sets the entries of an ordered dict from pairs, as Python 2 writes them.
func (m *machine) fillPairs(d *Dict, v any) error {
	l, ok := v.(*List)
	if !ok {
		return fmt.Errorf("it is made of a %T", v)
	}
	// A pickle could recall one long list many times. A valid one uses each pair once,
	// and has bytes for it.
	if m.pairs -= len(l.Items); m.pairs < 0 {
		return errors.New("more pairs than the pickle is long")
	}
	if err := m.charge(entryBytes * len(l.Items)); err != nil {
		return err
	}
	for _, item := range l.Items {
		pair, ok := item.(Tuple)
		if inner, is := item.(*List); is {
			pair, ok = inner.Items, true
		}
		if !ok || len(pair) != 2 {
			return errors.New("an entry is not a pair")
		}
		if err := d.set(pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

// build sets the state of the object on top.
func (m *machine) build(state []slot, err error) error {
	if err != nil {
		return err
	}
	s, err := m.top()
	if err != nil {
		return err
	}
	switch v := s.v.(type) {
	case *Object:
		v.State = state[0].v
		return s.deepen(state[0].depth + 1)
	case *Dict:
		if m.plain {
			return errors.New("the pickle gives a state to a dict")
		}
		// PyTorch stores extra attributes in the OrderedDict of a state dict: the
		// versions of its modules. They are not needed.
		return nil
	}
	return fmt.Errorf("the pickle gives a state to a value of kind %T", s.v)
}

// persistent pushes the caller's value for something outside the pickle.
func (m *machine) persistent(id any, err error) error {
	if err != nil {
		return err
	}
	if m.options.Persistent == nil {
		return errors.New("the pickle refers to something outside it")
	}
	v, err := m.options.Persistent(id)
	if err != nil {
		return err
	}
	return m.push(v)
}

// printable makes a foreign string safe to print in an error.
func printable(s string) string {
	q := strconv.Quote(s[:min(len(s), 100)])
	return q[1 : len(q)-1]
}
