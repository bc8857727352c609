package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/nowhere"
	"github.com/carve-video/carve/internal/safetensors"
	"github.com/carve-video/carve/internal/tensor"
	"github.com/carve-video/carve/internal/torch"
)

// The files of a model folder.
const (
	configFile   = "config.json"
	weightsFile  = "model.safetensors"
	openCLIPFile = "open_clip_config.json"
)

// weightFiles are the names of published checkpoints, in the order in which they are
// tried: Hugging Face's, whole and in shards, and OpenCLIP's. Safetensors come before
// pickles.
var weightFiles = []string{
	weightsFile, weightsFile + ".index.json",
	"pytorch_model.bin", "pytorch_model.bin.index.json",
	"open_clip_model.safetensors", "open_clip_pytorch_model.bin",
}

// A tensorFile is one file of a checkpoint, in any format.
type tensorFile interface {
	Names() []string
	Tensor(name string) (tensor.Tensor, error)
	Close() error
}

// A checkpoint is the named tensors of a file, or of several shards with an index.
type checkpoint struct {
	name    string // for errors: the file, or the index
	files   []tensorFile
	paths   []string // of files
	byName  map[string]tensorFile
	classes map[string]string // of a TorchScript archive: see [torch.File.Classes]
}

// openCheckpoint opens the weights in a folder. dir is its path on disk, or empty if it
// is not on disk. only is the name of the file; if it is empty, the first of the usual
// names is opened, or the only file of a known format.
func openCheckpoint(fsys fs.FS, dir, only string) (_ *checkpoint, err error) {
	if only == "" {
		if only, err = findWeights(fsys); err != nil {
			return nil, err
		}
	}
	c := &checkpoint{name: only, byName: map[string]tensorFile{}}
	if dir != "" {
		c.name = filepath.Join(dir, only)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	shards := []string{only}
	var index map[string]string
	if strings.HasSuffix(only, ".index.json") {
		if index, err = readIndex(fsys, only); err != nil {
			return nil, err
		}
		shards = slices.Compact(slices.Sorted(maps.Values(index)))
	}
	for _, shard := range shards {
		if err := c.add(fsys, dir, shard); err != nil {
			return nil, err
		}
	}
	// An index that contradicts its shards indicates a download that was put together
	// by hand.
	for name, shard := range index {
		f := c.byName[name]
		if f == nil || c.paths[slices.Index(c.files, f)] != shard {
			return nil, fmt.Errorf("%s: tensor %q is not in %s, where %s has it", c.name, name, shard, path.Base(only))
		}
	}
	return c, nil
}

// findWeights returns the name of the file of weights in a folder.
func findWeights(fsys fs.FS) (string, error) {
	for _, name := range weightFiles {
		if _, err := fs.Stat(fsys, name); err == nil {
			return name, nil
		}
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return "", err
	}
	var found []string
	for _, e := range entries {
		if isCheckpoint(e.Name()) && !e.IsDir() {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no weights: there is no %s and no other checkpoint: %w", weightsFile, fs.ErrNotExist)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("there are several checkpoints (%s): name the file itself", strings.Join(found, ", "))
}

// isCheckpoint reports whether the name of a file is that of a checkpoint.
func isCheckpoint(name string) bool {
	return slices.Contains([]string{".safetensors", ".pt", ".pth", ".bin"}, strings.ToLower(path.Ext(name)))
}

func readIndex(fsys fs.FS, name string) (map[string]string, error) {
	b, err := bounded.ReadFS(fsys, name, maxIndex)
	if err != nil {
		return nil, err
	}
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(b, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(index.Map) == 0 {
		return nil, fmt.Errorf("%s: weight_map names no tensors", name)
	}
	for tensor, file := range index.Map {
		// A shard is in the folder of its index; a path could point anywhere.
		if file != path.Base(file) || !isCheckpoint(file) {
			return nil, fmt.Errorf("%s: tensor %q is said to be in %q, which is not a checkpoint beside it", name, tensor, file)
		}
	}
	return index.Map, nil
}

// add opens one file.
func (c *checkpoint) add(fsys fs.FS, dir, name string) error {
	var file tensorFile
	var err error
	isTensors := strings.HasSuffix(strings.ToLower(name), ".safetensors")
	switch {
	case dir == "":
		var b []byte
		if b, err = bounded.ReadFS(fsys, name, maxInMemory); err != nil {
			return err
		}
		if isTensors {
			file, err = safetensors.Parse(name, b)
		} else {
			file, err = torch.Parse(name, b)
		}
	case isTensors:
		file, err = safetensors.Open(filepath.Join(dir, name))
	default:
		file, err = torch.Open(filepath.Join(dir, name))
	}
	if err != nil {
		return err
	}
	if t, ok := file.(*torch.File); ok && t.TorchScript() {
		c.classes = t.Classes()
	}
	c.files, c.paths = append(c.files, file), append(c.paths, name)
	for _, n := range file.Names() {
		if c.byName[n] != nil {
			return fmt.Errorf("%s: tensor %q is in another shard as well", name, n)
		}
		c.byName[n] = file
	}
	return nil
}

// Tensor returns the tensor of that name.
func (c *checkpoint) Tensor(name string) (tensor.Tensor, error) {
	f := c.byName[name]
	if f == nil {
		return tensor.Tensor{}, &tensor.MissingError{Path: c.name, Name: name}
	}
	return f.Tensor(name)
}

// Has reports whether there is a tensor of that name.
func (c *checkpoint) Has(name string) bool { return c.byName[name] != nil }

// Names lists all tensors, file by file.
func (c *checkpoint) Names() []string {
	var names []string
	for _, f := range c.files {
		names = append(names, f.Names()...)
	}
	return names
}

// size is the number of bytes of all tensors.
func (c *checkpoint) size() (n int64) {
	for _, name := range c.Names() {
		if t, err := c.Tensor(name); err == nil {
			n += int64(len(t.Data))
		}
	}
	return n
}

// checkSums verifies the checksums in its files, if they have any: archives of PyTorch
// do.
func (c *checkpoint) checkSums(ctx context.Context) error {
	for _, f := range c.files {
		if t, ok := f.(*torch.File); ok {
			if err := t.CheckSums(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close closes all files; tensors must not be used afterwards.
func (c *checkpoint) Close() error {
	var errs []error
	for _, f := range c.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// fileSystem returns the folder of a user's path, and the name of the file if the path is
// one: a model is a folder or a single checkpoint.
func fileSystem(path string) (dir, only string, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", "", nowhere.Named(path, err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	if st.IsDir() {
		return abs, "", nil
	}
	if !isCheckpoint(path) && !strings.HasSuffix(path, ".index.json") {
		return "", "", fmt.Errorf("%s is neither a folder nor a checkpoint (.safetensors, .pt, .pth, .bin)", path)
	}
	return filepath.Dir(abs), filepath.Base(abs), nil
}
