// Package models runs CLIPs for CaR: it implements the two roles of package
// car, [car.Proposer] and [car.Judge], over checkpoints as their publishers
// ship them.
//
// # A model
//
// A model is a CLIP with a vision transformer, of any width, depth, patch and
// resolution: OpenAI's .pt files, Hugging Face's folders (safetensors, whole or
// in shards, or pytorch_model.bin), OpenCLIP's files (checkpoint.go, naming.go).
// Sizes are read from the tensors, and what tensors do not show from a config,
// a table, or [Options] (sizes.go). [Open] takes a path, or a name: "demo" is
// there where package models/demo is imported, others lie in carve's cache, where [Pull] and
// [Import] put them (store.go). One model may serve in both roles; they share
// the checkpoint, the text encoder and the texts it has encoded.
//
// # Graphs
//
// Nothing is exported from Python. The weights are known by name, and Go code
// that reads like the architecture (layers.go) builds four ONNX graphs over
// them: the text encoder, the trunk that proposes, the gradient of its last
// block as forward operations, and the classifier (docs/algorithm.md 11.7). Building the
// first three looks up every tensor, which is how [Open] checks a checkpoint; those
// same graphs run later. A graph takes its weights and is loaded when its role is
// first asked for. What is constant in it is computed once and kept on disk
// (built.go), and so are the vectors of texts (remembered.go).
//
// # Arithmetic
//
// Everything runs in float32, whatever the checkpoint stores, unless another of
// the [Precisions] is asked for. Images enter as bytes. The released CaR code is
// matched in what it rounds, the table of positions, and, where
// [Options].SkipLastBlock asks for it, in what it leaves out.
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

// Options say how a model runs. The zero value is the reference's arithmetic
// on the best device there is.
type Options struct {
	// Threads is the number of threads of an operator; 0 is all cores.
	Threads int
	// Device is "auto" (or empty), or the name of one of [Devices], with a number
	// where there may be several: "cuda:1".
	Device string
	// DeviceOptions are settings of the device's provider, by ONNX Runtime's
	// names for them.
	DeviceOptions map[string]string
	// Heads, TextHeads, Activation ("quick_gelu" or "gelu"), and the Mean and Std of
	// its pixels describe a checkpoint that does not say them; zero, empty and nil
	// take what its config or the table of known models says. An [UnsaidError] tells
	// which is missing.
	Heads, TextHeads int
	Activation       string
	Mean, Std        []float32 // both or neither, three numbers each
	// Precision of the large products, one of [Precisions]; empty is Float32.
	Precision string
	// SkipLastBlock makes the judge leave out its last block, as the released
	// CaR code does (car.Quirks). Its published figures depend on that.
	SkipLastBlock bool
	// InMemory keeps nothing on disk of what is made of the weights: for a model that
	// runs once in a role that it is not for.
	InMemory bool
	// Log is told what is loaded; nil is silent.
	Log *slog.Logger
}

// Errors that a caller may want to tell apart.
var (
	// ErrNoRuntime: ONNX Runtime's library is missing. errors.As to a
	// [NoRuntimeError] says where was looked, and has a Hint.
	ErrNoRuntime = ort.ErrNoRuntime
	// ErrTooLong: a text has more tokens than the model reads. errors.As to a
	// [TooLongError] says which and how many.
	ErrTooLong = bpe.ErrTooLong
)

// NoRuntimeError is the detail of [ErrNoRuntime].
type NoRuntimeError = ort.NoRuntimeError

// TooLongError is the detail of [ErrTooLong].
type TooLongError = bpe.TooLongError

// An UnknownModelError says that a name is neither a model nor a folder.
type UnknownModelError struct {
	Name  string
	Known []string // the names that would do
}

func (e *UnknownModelError) Error() string {
	return fmt.Sprintf("there is no model %q", e.Name)
}

// Hint says what to do about it.
func (e *UnknownModelError) Hint() string {
	return "known are " + strings.Join(e.Known, ", ") + "; a folder is given as ./FOLDER, a checkpoint as ./FILE.pt"
}

// Open opens a model by name, or by the path of its folder or of a checkpoint.
// What contains a path separator, or is "." or "..", is a path; of a name and a
// path that are called the same the name wins.
//
// The files are read and checked here, every tensor's presence and shape
// included; sessions are made by [Model.Proposer] and [Model.Judge].
func Open(ctx context.Context, nameOrPath string, o Options) (*Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !isPath(nameOrPath) {
		if files, ok := embedded.Lookup(nameOrPath); ok {
			return OpenFS(ctx, nameOrPath, files, o)
		}
		if slices.Contains(Names(), nameOrPath) {
			return open(nameOrPath, folder(nameOrPath), "", nil, o)
		}
	}
	dir, only, err := fileSystem(nameOrPath)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !isPath(nameOrPath):
		return nil, absent(nameOrPath)
	case err != nil:
		return nil, fmt.Errorf("failed to open model: %w", err)
	}
	return open(filepath.Base(filepath.Join(dir, only)), dir, only, nil, o)
}

// OpenFS opens a model whose files lie in fsys. Its weights are read into
// memory; those of a folder opened by [Open] are mapped.
func OpenFS(ctx context.Context, name string, fsys fs.FS, o Options) (*Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return open(name, "", "", fsys, o)
}

// A Model is an open CLIP. Its roles are made when they are asked for and
// belong to it: Close ends them.
type Model struct {
	name    string
	options Options
	config  config
	weights *weights
	dir     string // on disk; empty in memory
	alone   bool   // a checkpoint that was named by itself: nothing beside it counts
	text    *textEncoder
	table   []float32 // trained positions, L×D

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
	where := name
	if dir != "" {
		fsys, where = bounded.Dir(dir), filepath.Join(dir, only)
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
			err = fmt.Errorf("failed to open model %s: %w", where, err)
			if m.weights != nil {
				err = errors.Join(err, m.weights.Close())
			}
		}
	}()
	if dir != "" && only == "" {
		if only, err = o.fromManifest(dir); err != nil {
			return nil, err
		}
	} else {
		m.alone = only != "" && !slices.Contains(weightFiles, only)
	}
	if m.weights, err = openWeights(fsys, dir, only); err != nil {
		return nil, err
	}
	// A checkpoint that was named by itself stands by itself, unless its name
	// is one that only has a meaning in a folder.
	beside := fsys
	if m.alone {
		beside = none{}
	}
	if m.config, err = configOf(beside, m.alone, m.weights, o); err != nil {
		return nil, err
	}
	tokenizer, err := readVocabulary(beside, m.config.Text.Vocab)
	if err != nil {
		return nil, err
	}
	m.weights.inline = dir == "" || o.InMemory || m.weights.size() < builtFrom
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
	m.weights.used = nil // graphs that are built from here on may be built at once
	o.Log.Debug("model opened", "model", name, "from", where)
	return m, nil
}

// fromManifest adds what was found out about a model when it came into the cache,
// where it did, and returns the name of its weights.
func (o *Options) fromManifest(dir string) (weights string, err error) {
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

// build builds the graphs of the proposer, and returns that of texts. It looks up
// every tensor, so a wrong checkpoint is refused when it is opened and not in the
// middle of work. What a graph holds until it is loaded is names and shapes: the
// numbers stay in the checkpoint.
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

// none is a folder without files.
type none struct{}

func (none) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Tokens is the number of tokens of a text, its start and end included. More
// than the model reads are an [ErrTooLong].
func (m *Model) Tokens(text string) (n int, err error) {
	ids := m.text.tokenizer.Encode(text)
	if len(ids) > m.config.Text.Context {
		err = &TooLongError{Text: text, Tokens: len(ids), Max: m.config.Text.Context}
	}
	return len(ids), err
}

// Proposer is the model in the role of f. It is made once; every call returns
// the same one.
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

// Judge is the model in the role of g. It is made once; every call returns the
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

// Close ends the model's roles. None of their calls may be running, and no
// View of theirs be used afterwards.
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
