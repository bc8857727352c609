// Package embedded lists the models that are linked into the program. A package with an
// embedded model registers it when it is imported, so that a program without that
// import does not contain it.
package embedded

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// models has the models by name. Only init functions write to it, one after the other.
var models = make(map[string]fs.FS)

// Register makes the folder of a model available under a name. It is called by init
// functions.
func Register(name string, files fs.FS) {
	if _, taken := models[name]; taken {
		panic(fmt.Sprintf("embedded: there is a model %q already", name))
	}
	models[name] = files
}

// Lookup returns the folder of a model.
func Lookup(name string) (files fs.FS, ok bool) {
	files, ok = models[name]
	return files, ok
}

// Names returns the names of the models in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(models)) }
