// Package models runs CLIP models for CaR: it implements [car.Proposer] and [car.Judge]
// for published checkpoints.
//
// # Models
//
// A model is a CLIP with a vision transformer of any width, depth, patch size and
// resolution: OpenAI's .pt files, Hugging Face's folders (safetensors, whole or in
// shards, or pytorch_model.bin), OpenCLIP's files (checkpoint.go, naming.go). Sizes are
// read from the tensors. Other settings come from a config, a table, or [Options]
// (sizes.go). [Open] takes a path or a name. "demo" is available if package models/demo
// is imported; other names are in carve's cache, where [Pull] and [Import] put them
// (store.go). One model may be used in both roles, which then share the checkpoint, the
// text encoder and its cache.
//
// # Graphs
//
// Nothing is exported from Python. Go code that follows the architecture (layers.go)
// builds four ONNX graphs from the named weights: the text encoder, the trunk of the
// proposer, the gradient of its last block as forward operations, and the classifier
// (docs/algorithm.md 11.7). Building the first three looks up every tensor; this is how [Open]
// checks a checkpoint. The same graphs run later. A graph is loaded with its weights when
// its role is first used. Its converted weights are cached on disk (built.go), and so are
// the vectors of texts (textcache.go).
//
// # Arithmetic
//
// Everything is computed in float32, whatever the checkpoint stores, unless another of
// the [Precisions] is chosen. The input images are bytes. Like the released CaR code, it
// rounds the table of positions to half precision, and with [Options].SkipLastBlock it
// omits the judge's last block.
package models

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/bpe"
	"github.com/carve-video/carve/internal/embedded"
	"github.com/carve-video/carve/internal/ort"
)

// Options configure a model. The zero value is the reference's arithmetic on the best
// device available.
type Options struct {
	// Threads is the number of threads of an operator; 0 is all cores.
	Threads int
	// Device is "auto" (or empty), or the name of one of [Devices], with a number
	// where there may be several: "cuda:1".
	Device string
	// DeviceOptions are settings of the device's provider, by ONNX Runtime's
	// names for them.
	DeviceOptions map[string]string
	// Heads, TextHeads, Activation ("quick_gelu" or "gelu"), and Mean and Std of the
	// pixels are settings that a checkpoint itself does not contain. Zero, empty and
	// nil take them from its config or the table of known models. A
	// [MissingSettingsError] lists those that are missing.
	Heads, TextHeads int
	Activation       string
	Mean, Std        []float32 // both or neither, three numbers each
	// Precision of the large products, one of [Precisions]; empty is Float32.
	Precision string
	// SkipLastBlock makes the judge omit its last block, as the released CaR code does
	// (car.Quirks). The published figures depend on that.
	SkipLastBlock bool
	// InMemory writes no graph and no texts to the cache: for a model that is run only
	// once.
	InMemory bool
	// Log receives messages about loading; nil is silent.
	Log *slog.Logger
}

// Errors that a caller may want to distinguish.
var (
	// ErrNoRuntime: ONNX Runtime's library is missing. A [NoRuntimeError] has the paths
	// that were tried, and a Hint.
	ErrNoRuntime = ort.ErrNoRuntime
	// ErrTooLong: a text has more tokens than the model reads. A [TooLongError] has the
	// text and the number of tokens.
	ErrTooLong = bpe.ErrTooLong
)

// NoRuntimeError is the detail of [ErrNoRuntime].
type NoRuntimeError = ort.NoRuntimeError

// TooLongError is the detail of [ErrTooLong].
type TooLongError = bpe.TooLongError

// An UnknownModelError says that a name is neither a model nor a folder.
type UnknownModelError struct {
	Name  string
	Known []string // all valid names
}

func (e *UnknownModelError) Error() string {
	return fmt.Sprintf("there is no model %q", e.Name)
}

// Hint says how to solve it.
func (e *UnknownModelError) Hint() string {
	return "known are " + strings.Join(e.Known, ", ") + "; a folder is given as ./FOLDER, a checkpoint as ./FILE.pt"
}

// Open opens a model by name, or by the path of its folder or of a checkpoint. An
// argument that contains a path separator, or is "." or "..", is a path. If it may be
// both a name and a path, it is a name.
//
// Open reads and checks the files, including the presence and shape of every tensor.
// [Model.Proposer] and [Model.Judge] create the sessions.
func Open(ctx context.Context, nameOrPath string, o Options) (*Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !isPath(nameOrPath) {
		if files, ok := embedded.Lookup(nameOrPath); ok {
			return OpenFS(ctx, nameOrPath, files, o)
		}
		if slices.Contains(Names(), nameOrPath) {
			return open(nameOrPath, modelDir(nameOrPath), "", nil, o)
		}
	}
	dir, only, err := fileSystem(nameOrPath)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !isPath(nameOrPath):
		return nil, notInCacheError(nameOrPath)
	case err != nil:
		return nil, fmt.Errorf("failed to open model: %w", err)
	}
	return open(filepath.Base(filepath.Join(dir, only)), dir, only, nil, o)
}

// OpenFS opens a model whose files are in fsys. Its weights are read into memory; those of
// a folder opened by [Open] are mapped.
func OpenFS(ctx context.Context, name string, fsys fs.FS, o Options) (*Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return open(name, "", "", fsys, o)
}

// A Model is an open CLIP. Its roles are created on first use, and Close closes them.
type Model struct {
	name       string
	options    Options
	config     config
	weights    *weights
	dir        string // on disk; empty in memory
	standalone bool   // a single checkpoint: other files of its folder are ignored
	text       *textEncoder
	table      []float32 // trained positions, L×D

	sum           sync.Once // for the two below, see fingerprint
	fingerprinted string
	sumErr        error

	mu         sync.Mutex
	trunk, cam *net // until there is a proposer
	proposer   *proposer
	judge      *judge
	closed     bool
}

func open(name, dir, only string, fsys fs.FS, o Options) (_ *Model, err error) {
	source := name
	if dir != "" {
		fsys, source = bounded.Dir(dir), filepath.Join(dir, only)
	}
	o.Precision = cmp.Or(o.Precision, Float32)
	if err := CheckDevice(o.Device, o.DeviceOptions, o.Precision); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Model{name: name, options: o, dir: dir}
	defer func() {
		if err != nil {
			err = fmt.Errorf("failed to open model %s: %w", source, err)
			if m.weights != nil {
				err = errors.Join(err, m.weights.Close())
			}
		}
	}()
	if dir != "" && only == "" {
		if only, err = o.addManifest(dir); err != nil {
			return nil, err
		}
	} else {
		m.standalone = only != "" && !slices.Contains(weightFiles, only)
	}
	if m.weights, err = openWeights(fsys, dir, only); err != nil {
		return nil, err
	}
	// Other files of the folder are ignored if the checkpoint was given by its path,
	// unless it has one of the usual names of a model folder.
	companions := fsys
	if m.standalone {
		companions = emptyFS{}
	}
	if m.config, err = configOf(companions, m.standalone, m.weights, o); err != nil {
		return nil, err
	}
	tokenizer, err := readVocabulary(companions, m.config.Text.Vocab)
	if err != nil {
		return nil, err
	}
	m.weights.inline = dir == "" || o.InMemory || m.weights.size() < minBuiltSize
	v := m.config.Vision
	side := v.ImageSize / v.PatchSize
	m.table, err = m.weights.floats(visionPrefix+"embeddings.position_embedding.weight", 1+side*side, v.Width)
	if err != nil {
		return nil, err
	}
	text, err := m.build()
	if err != nil {
		return nil, err
	}
	if m.text, err = newTextEncoder(m, tokenizer, text); err != nil {
		return nil, err
	}
	if err := m.weights.checkUnknown(); err != nil {
		return nil, err
	}
	m.weights.used = nil // further graphs may be built concurrently
	o.Log.Debug("model opened", "model", name, "from", source)
	return m, nil
}

// addManifest adds the settings in the manifest of a model, if it has one, and returns the
// name of its weights.
func (o *Options) addManifest(dir string) (weights string, err error) {
	manifest, err := readManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	o.Heads = cmp.Or(o.Heads, manifest.Heads)
	o.TextHeads = cmp.Or(o.TextHeads, manifest.TextHeads)
	o.Activation = cmp.Or(o.Activation, manifest.Activation)
	if o.Mean == nil && o.Std == nil {
		o.Mean, o.Std = manifest.Mean, manifest.Std
	}
	return manifest.Weights, nil
}

// build builds the graphs of the proposer and returns that of the text encoder. It looks
// up every tensor, so that a wrong checkpoint is refused when it is opened and not later.
// Until a graph is loaded it only has names and shapes: the numbers stay in the
// checkpoint.
func (m *Model) build() (text *net, err error) {
	if text, err = textGraph(m.config, m.weights); err != nil {
		return nil, err
	}
	if m.trunk, err = trunkGraph(m.config, m.weights, m.options.Precision); err != nil {
		return nil, err
	}
	if m.cam, err = camGraph(m.config, m.weights); err != nil {
		return nil, err
	}
	return text, nil
}

// emptyFS is a file system without files.
type emptyFS struct{}

func (emptyFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Tokens returns the number of tokens of a text, including its start and end. More than
// the model reads are an [ErrTooLong].
func (m *Model) Tokens(text string) (n int, err error) {
	ids := m.text.tokenizer.Encode(text)
	if len(ids) > m.config.Text.Context {
		err = &TooLongError{Text: text, Tokens: len(ids), Max: m.config.Text.Context}
	}
	return len(ids), err
}

// Proposer returns the model in the role of f. It is created once; every call returns the
// same one.
func (m *Model) Proposer() (car.Proposer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	if m.proposer == nil {
		p, err := newProposer(m)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", m.name, err)
		}
		m.proposer = p
	}
	return m.proposer, nil
}

// Judge returns the model in the role of g. It is created once; every call returns the
// same one.
func (m *Model) Judge() (car.Judge, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	if m.judge == nil {
		j, err := newJudge(m)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", m.name, err)
		}
		m.judge = j
	}
	return m.judge, nil
}

var errClosed = errors.New("the model is closed")

// Close closes the model and its roles. None of their calls may be running, and their
// Features must not be used afterwards.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	err := m.text.Close()
	if m.proposer != nil {
		err = errors.Join(err, m.proposer.Close())
	}
	if m.judge != nil {
		err = errors.Join(err, m.judge.Close())
	}
	return errors.Join(err, m.weights.Close())
}
