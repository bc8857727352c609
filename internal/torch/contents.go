package torch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carve-video/carve/internal/pickle"
)

// Limits of the walk. Real archives have about 500 objects, 8 deep, with a dozen
// attributes each. Objects can hold one another, so that a small file could have any
// number of paths.
const (
	maxAttributes = 1 << 17
	maxDepth      = 64
	maxName       = 1024 // of a tensor, with its path
	maxNames      = 16 << 20
	maxTensors    = 1 << 14
)

// A walk collects the tensors of a checkpoint into a file.
type walk struct {
	file       *File
	builder    builder
	classes    map[pickle.Class]string // seen so far, with their Python names
	attributes int                     // seen so far
	names      int                     // total length of names in bytes
}

// stateDict collects the tensors of a dict, or of the dict inside it.
func (w *walk) stateDict(d *pickle.Dict) error {
	for _, key := range []string{"state_dict", "model"} {
		if inner, ok := d.Get(key); ok {
			if dict, ok := inner.(*pickle.Dict); ok {
				d = dict
				break
			}
		}
	}
	for i, key := range d.Keys {
		name, ok := key.(string)
		if !ok {
			continue
		}
		if o, ok := d.Values[i].(*pickle.Object); ok && !plain[o.Class] {
			if err := w.add(name, o); err != nil {
				return err
			}
		}
	}
	if len(w.file.names) == 0 {
		return errors.New("the state dict has no tensors")
	}
	return nil
}

// addClass records the class of an object. Many objects may have one class with a long
// name, which is then stored and checked only once.
func (w *walk) addClass(prefix string, c pickle.Class) {
	if len(c.Module)+len(c.Name) > maxName {
		return
	}
	name, met := w.classes[c]
	if !met {
		name = pythonName(c)
		w.classes[c] = name
	}
	w.file.classes[strings.TrimSuffix(prefix, ".")] = name
}

// object collects the tensors of a TorchScript object and of the objects in it. prefix
// is the path to it, with a dot at its end.
func (w *walk) object(prefix string, o *pickle.Object, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("the objects below %q are nested too deep", prefix)
	}
	w.addClass(prefix, o.Class)
	d, ok := o.State.(*pickle.Dict)
	if !ok {
		return nil // a class without attributes
	}
	if w.attributes += len(d.Keys); w.attributes > maxAttributes {
		return fmt.Errorf("the attributes below %q are too many", prefix)
	}
	for i, key := range d.Keys {
		name, ok := key.(string)
		if !ok {
			return fmt.Errorf("an attribute of %q has a name of kind %T", prefix, key)
		}
		if len(prefix)+len(name) > maxName {
			return fmt.Errorf("an attribute below %.40q has a name of %d bytes", prefix, len(prefix)+len(name))
		}
		name = prefix + name
		if w.names += len(name); w.names > maxNames {
			return fmt.Errorf("the names of attributes have more than %d bytes", maxNames)
		}
		var err error
		switch v := d.Values[i].(type) {
		case bool, int64, float64, string:
			w.file.values[name] = v
		case *pickle.Object:
			switch {
			case isScript(v.Class):
				err = w.object(name+".", v, depth+1)
			case !plain[v.Class]:
				err = w.add(name, v)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) add(name string, o *pickle.Object) error {
	if len(name) > maxName {
		return fmt.Errorf("tensor %.40q has a name of %d bytes", name, len(name))
	}
	f := w.file
	if len(f.names) == maxTensors {
		return fmt.Errorf("there are more than %d tensors", maxTensors)
	}
	if _, twice := f.tensors[name]; twice {
		return fmt.Errorf("tensor %q is there twice", name)
	}
	t, err := w.builder.rebuild(o)
	if err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	t.Path, t.Name = f.path, name
	f.tensors[name] = t
	f.names = append(f.names, name)
	return nil
}
