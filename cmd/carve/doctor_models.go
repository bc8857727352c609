package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
)

// models checks the given models, the default ones, and all others on this machine.
func (d *doctor) models(ctx context.Context) {
	proposer, judge := d.options.pair()
	needed := unique(proposer, judge)
	names := slices.Clone(needed)
	for _, name := range slices.Concat(pairOf(defaultModel), models.Names()) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		role := ""
		switch {
		case name == proposer && name == judge:
			role = "proposes masks and judges them"
		case name == proposer:
			role = "proposes masks"
		case name == judge:
			role = "judges masks"
		}
		i, err := d.model(ctx, name)
		if ctx.Err() != nil {
			return
		}
		if role != "" {
			i.Detail += "; in use: " + role
		}
		if err == nil || role != "" {
			if err != nil {
				i.Hint = ui.Hint(err)
				d.setBlocker(d.missingModels(needed, err))
			}
			d.add(i)
			continue
		}
		i.Hint = ui.Hint(err)
		if i.Status == statusMissing {
			i.Detail += "; part of the default pair"
			i.Hint = "carve models pull " + defaultModel
		}
		d.add(i)
	}
}

// missingModels returns the error for all missing models of the run, so that its hint
// fetches them with one command. If err is not about a missing model, it returns err.
func (d *doctor) missingModels(names []string, err error) error {
	var missing *models.MissingModelError
	if !errors.As(err, &missing) {
		return err
	}
	// Without a terminal and without --yes nothing is downloaded.
	if all := ensureModels(new(fetchOptions), names, true, io.Discard, discardLog()); all != nil {
		return all
	}
	return err
}

// model checks one model.
func (d *doctor) model(ctx context.Context, name string) (item, error) {
	i := item{Section: sectionModels, Name: name, Status: statusOK}
	_, e := models.Path(name)
	switch {
	case e == nil || name == demo.Name:
		size := int64(0)
		if m, err := models.ReadManifest(name); err == nil {
			for _, f := range m.Files {
				size += f.Size
			}
			d.busy(fmt.Sprintf("reading %s, %s", name, ui.Megabytes(size)))
		}
		known, err := models.Verify(ctx, name)
		switch {
		case err != nil:
			i.Status, i.Detail = statusFails, err.Error()
			hint := ui.Hint(err)
			if hint == "" {
				hint = "carve models rm " + name + ", then pull or import it again"
			}
			return i, ui.WithHint(err, hint)
		case known:
			i.Detail = ui.Megabytes(size) + ", its checksums are right"
		case name == demo.Name:
			i.Detail = "built in; it knows 64 stickers and nothing else"
		default:
			i.Detail = "it opens; it was put there by hand, so there are no checksums to compare"
		}
		return i, nil
	default:
		m, err := models.Open(ctx, name, models.Options{})
		if err == nil {
			i.Detail = ui.Megabytes(m.Info().Bytes) + ", it opens; there are no checksums to compare"
			return i, m.Close()
		}
		err = modelError(err)
		i.Status, i.Detail = statusFails, err.Error()
		var missing *models.MissingModelError
		var unknown *models.UnknownModelError
		if errors.As(err, &missing) {
			i.Status, i.Detail = statusMissing, "not on this machine"
		} else if errors.As(err, &unknown) || errors.Is(err, fs.ErrNotExist) {
			i.Status = statusMissing
		}
		return i, err
	}
}

// cacheFolders are the folders of the cache, and what removes each.
var cacheFolders = []struct{ pattern, about, empty string }{
	{"models", "models", "carve models rm NAME removes one"},
	{"graphs", "models prepared for this machine", "carve models rm NAME removes those of a model; the folder can be deleted, and is made again when needed"},
	{"texts", "text embeddings", "carve models rm NAME removes those of a model; the folder can be deleted, and is made again when needed"},
	{"selftests", "results of self-tests", "carve models rm NAME removes those of a model; the folder can be deleted, and carve models selftest tests again"},
	{"onnxruntime-*", "ONNX Runtime", "the folder can be deleted; carve runtime pull downloads it again"},
	{"tensorrt", "TensorRT's engines", "the folder can be deleted, and is made again when needed"},
}

// caches lists the content of the cache, and checks that there is space for missing models.
func (d *doctor) caches(ctx context.Context) {
	cache := ort.CacheDir()
	i := item{Section: sectionCache, Name: "folder", Status: statusOK, Detail: cache}
	if cache == "" {
		i.Status, i.Detail = statusMissing, "there is no home folder for models"
		i.Hint = "set CARVE_CACHE to a folder"
		d.add(i)
		return
	}
	there := existingParent(cache)
	if there != cache {
		i.Status = statusInfo
		i.Detail += ", which is made when needed"
	}
	if err := tryWriting(there); err != nil {
		i.Status, i.Detail = statusFails, i.Detail+", cannot be written: "+err.Error()
		i.Hint = "without it nothing can be downloaded, and every start prepares the models again; CARVE_CACHE names another folder"
	}
	if free, err := freeSpace(there); err == nil {
		i.Detail += fmt.Sprintf("; %s free", ui.Gigabytes(free))
		if short := d.missingBytes(); short > free && i.Hint == "" {
			i.Status = statusFails
			i.Detail += fmt.Sprintf(", and the models to be fetched are %s", ui.Gigabytes(short))
			i.Hint = "make room, or name another folder with CARVE_CACHE"
		}
	}
	d.add(i)
	for _, c := range cacheFolders {
		folders, _ := filepath.Glob(filepath.Join(cache, c.pattern)) // the patterns are well-formed
		for _, dir := range folders {
			if ctx.Err() != nil {
				return
			}
			d.add(item{Section: sectionCache, Name: filepath.Base(dir), Status: statusInfo,
				Detail: ui.Megabytes(sizeOf(dir)) + ", " + c.about + ": " + c.empty})
		}
	}
}

// missingBytes returns the size of the missing models of the run.
func (d *doctor) missingBytes() (n int64) {
	proposer, judge := d.options.pair()
	for _, name := range unique(proposer, judge) {
		_, err := models.Path(name)
		var missing *models.MissingModelError
		if errors.As(err, &missing) {
			n += missing.Size
		}
	}
	return n
}

// existingParent returns the folder, or the nearest existing folder above it.
func existingParent(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return dir
		}
		dir = up
	}
}

// tryWriting creates a file in the folder: permissions alone are no proof.
func tryWriting(dir string) error {
	f, err := os.CreateTemp(dir, ".carve-doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// sizeOf adds up the files in a folder. Files that vanish meanwhile or cannot be read do
// not count.
func sizeOf(dir string) (n int64) {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		if st, err := e.Info(); err == nil {
			n += st.Size()
		}
		return nil
	})
	return n
}
