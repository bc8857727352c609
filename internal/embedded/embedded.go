// Package embedded holds the models that are linked into the program. A package that
// embeds one registers it when it is imported, so that a program that does not want it
// need not carry it.
package embedded

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Filled by init functions alone, which run one after the other.
var models = make(map[string]fs.FS)

// Register makes a folder with a model known by a name. It is called by init functions.
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

// Names lists the models in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(models)) }
