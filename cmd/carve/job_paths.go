package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/carve-video/carve/models"
)

// Relative paths in a job file begin in its folder, so that the file can be moved together
// with its clip, and run from anywhere.

// fileFlags are the flags whose value is a file.
var fileFlags = []string{"input", "output", "queries", "explain", "templates", "script", "names", "expressions", "checkpoint", "restore", "job", "save-job"}

// namesFile reports whether the value of a setting is a path.
func namesFile(setting, value string) bool {
	switch setting {
	case "preset":
		return slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(value))
	case "model", "classifier":
		return strings.ContainsRune(value, filepath.Separator) || value == "." || value == ".."
	}
	return slices.Contains(fileFlags, setting)
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// fixed reports whether a path means the same in every folder: it is absolute, a URL, or
// standard input or output.
func fixed(path string) bool {
	return path == "" || path == "-" || filepath.IsAbs(path) || scheme.MatchString(path)
}

// path returns a path of the job as seen from the current folder. A separator at its end
// stays, and so does a .. after a link, which leaves the folder that the link leads to.
func (j *jobFile) path(p string) string {
	if fixed(p) {
		return p
	}
	folder, up := j.folder, ".."+string(filepath.Separator)
	for strings.HasPrefix(p, up) && plainFolder(folder) {
		p = p[len(up):]
		if folder = filepath.Dir(filepath.Clean(folder)) + string(filepath.Separator); folder == "."+string(filepath.Separator) {
			folder = ""
		}
	}
	if folder+p == "" {
		return "." + string(filepath.Separator)
	}
	return folder + p
}

// plainFolder reports whether the parent of a folder can be told from its name.
func plainFolder(folder string) bool {
	clean := filepath.Clean(folder)
	real, err := filepath.EvalSymlinks(clean)
	name := filepath.Base(clean)
	return err == nil && real == clean && name != "." && name != ".." && name != string(filepath.Separator)
}

// A jobFolder is the folder of a job file that is written.
type jobFolder struct {
	folder, current string // without links
}

// newJobFolder returns the folder of a job file. That of standard output is the current one.
func newJobFolder(job string) (f jobFolder, err error) {
	if f.current, err = os.Getwd(); err != nil {
		return f, err
	}
	if f.current, err = filepath.EvalSymlinks(f.current); err != nil {
		return f, err
	}
	if f.folder = f.current; job == "-" {
		return f, nil
	}
	f.folder, err = filepath.EvalSymlinks(filepath.Dir(f.absolute(job)))
	return f, err
}

// absolute returns a path from the root. A .. after a link leaves the folder that the link
// leads to.
func (f jobFolder) absolute(path string) string {
	if !filepath.IsAbs(path) {
		path = f.current + string(filepath.Separator) + path
	}
	if slices.Contains(strings.Split(path, string(filepath.Separator)), "..") {
		dir, name := filepath.Split(strings.TrimRight(path, string(filepath.Separator)))
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			path = real + string(filepath.Separator) + name
		}
	}
	return filepath.Clean(path)
}

// path returns a path of the command line as seen from the folder.
func (f jobFolder) path(p string) string {
	if fixed(p) || f.folder == f.current {
		return p
	}
	rel, err := filepath.Rel(f.folder, f.absolute(p))
	if err != nil { // on another drive
		return f.absolute(p)
	}
	if strings.HasSuffix(p, string(filepath.Separator)) {
		rel += string(filepath.Separator)
	}
	if fixed(rel) {
		rel = "." + string(filepath.Separator) + rel
	}
	return rel
}

// setting returns the value of a setting as seen from the folder.
func (f jobFolder) setting(name, value string) string {
	if name == "model" || name == "classifier" {
		value = explicitModel(value)
	}
	if namesFile(name, value) {
		return f.explicit(name, f.path(value))
	}
	return value
}

// explicitModel writes a file or folder in the current folder as a path. Without a separator
// it could be the name of a model.
func explicitModel(name string) string {
	if _, err := os.Stat(name); err != nil || fixed(name) || slices.Contains(models.Names(), name) {
		return name
	}
	if _, known := models.Known(name); known {
		return name
	}
	return explicitPath(name)
}

// explicit keeps the path of a model one, which may have lost its separator.
func (f jobFolder) explicit(setting, path string) string {
	if namesFile(setting, path) {
		return path
	}
	return explicitPath(path)
}

func explicitPath(path string) string {
	if strings.ContainsRune(path, filepath.Separator) {
		return path
	}
	return "." + string(filepath.Separator) + path
}
