// Package models runs CLIPs for CaR: it implements the two roles of package
// car, [car.Proposer] and [car.Judge], over checkpoints in Hugging Face's
// layout.
//
// # A model
//
// A model is a folder with config.json, model.safetensors, vocab.json and
// merges.txt, of any width, depth, patch and resolution. [Open] takes such a
// folder, or a name: "demo" is embedded in the program, others are looked up
// in carve's cache. One model may serve in both roles; they share the
// checkpoint, the text encoder and the texts it has encoded.
//
// # Graphs
//
// Nothing is exported from Python. The weights are known by name, and Go code
// that reads like the architecture (layers.go) builds four ONNX graphs over
// them: the text encoder, the trunk that proposes, the gradient of its last
// block as forward operations, and the classifier (car.md 11.7). A graph is
// built and loaded when its role is first asked for.
//
// # Arithmetic
//
// Everything runs in float32, whatever the checkpoint stores. Images enter as
// bytes. The released CaR code is matched in what it leaves out, the last
// block of the classifier, and in what it rounds, the table of positions.
package models

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/bpe"
	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/models/demo"
)

// Options say how a model runs. The zero value is the reference's arithmetic
// on the best device there is.
type Options struct {
	// Threads is the number of threads of an operator; 0 is all cores.
	Threads int
	// Device is "auto" (or empty), "cpu" or "cuda".
	Device string
	// KeepLastBlock makes the judge run all its blocks. The released CaR code
	// leaves the last one out, and its thresholds depend on that.
	KeepLastBlock bool
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
	return fmt.Sprintf("there is no model %q (known: %s)", e.Name, strings.Join(e.Known, ", "))
}

// Hint says what to do about it.
func (e *UnknownModelError) Hint() string {
	return "give one of these names, or a folder with config.json, model.safetensors, vocab.json and merges.txt"
}

// modelsDir is where named models are installed.
func modelsDir() string {
	cache := ort.CacheDir()
	if cache == "" {
		return ""
	}
	return filepath.Join(cache, "models")
}

// Names lists the models that can be opened by name: the embedded one and
// those in carve's cache.
func Names() []string {
	names := []string{demo.Name}
	entries, _ := os.ReadDir(modelsDir()) // none installed, none listed
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(modelsDir(), e.Name(), "config.json")); err == nil {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Open opens a model by name or by folder. What contains a path separator, or
// is "." or "..", is a folder; of a name and a folder that are called the same
// the name wins.
//
// The files are read and checked here, every tensor's presence and shape
// included; sessions are made by [Model.Proposer] and [Model.Judge].
func Open(ctx context.Context, nameOrDir string, o Options) (*Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	isPath := strings.ContainsRune(nameOrDir, filepath.Separator) || nameOrDir == "." || nameOrDir == ".."
	if !isPath {
		if nameOrDir == demo.Name {
			return OpenFS(ctx, demo.Name, demo.FS, o)
		}
		if slices.Contains(Names(), nameOrDir) {
			return open(nameOrDir, filepath.Join(modelsDir(), nameOrDir), nil, o)
		}
	}
	st, err := os.Stat(nameOrDir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !isPath:
		return nil, &UnknownModelError{Name: nameOrDir, Known: Names()}
	case err != nil:
		return nil, fmt.Errorf("failed to open model: %w", err)
	case !st.IsDir():
		return nil, fmt.Errorf("failed to open model: %s is not a folder", nameOrDir)
	}
	abs, err := filepath.Abs(nameOrDir)
	if err != nil {
		return nil, fmt.Errorf("failed to open model: %w", err)
	}
	return open(filepath.Base(abs), abs, nil, o)
}

// OpenFS opens a model whose files lie in fsys. Its weights are read into
// memory; those of a folder opened by [Open] are mapped.
func OpenFS(ctx context.Context, name string, fsys fs.FS, o Options) (*Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return open(name, "", fsys, o)
}

// A Model is an open CLIP. Its roles are made when they are asked for and
// belong to it: Close ends them.
type Model struct {
	name    string
	options Options
	config  config
	weights *weights
	text    *textEncoder
	table   []float32 // trained positions, L×D

	mu       sync.Mutex
	proposer *proposer
	judge    *judge
	closed   bool
}

func open(name, dir string, fsys fs.FS, o Options) (_ *Model, err error) {
	where := name
	if dir != "" {
		fsys, where = os.DirFS(dir), dir
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Model{name: name, options: o}
	defer func() {
		if err != nil {
			err = fmt.Errorf("failed to open model %s: %w", where, err)
			if m.weights != nil {
				err = errors.Join(err, m.weights.Close())
			}
		}
	}()
	if m.config, err = readConfig(fsys); err != nil {
		return nil, err
	}
	vocab, err := fs.ReadFile(fsys, "vocab.json")
	if err != nil {
		return nil, err
	}
	merges, err := fs.ReadFile(fsys, "merges.txt")
	if err != nil {
		return nil, err
	}
	tokenizer, err := bpe.New(vocab, merges)
	if err != nil {
		return nil, err
	}
	if tokenizer.Size() > m.config.Text.Vocab {
		return nil, fmt.Errorf("vocab.json goes up to the id %d, config.json allows vocab_size %d", tokenizer.Size()-1, m.config.Text.Vocab)
	}
	if m.weights, err = openWeights(fsys, dir); err != nil {
		return nil, err
	}
	v := m.config.Vision
	side := v.ImageSize / v.PatchSize
	m.table, err = m.weights.floats(visionPrefix+"embeddings.position_embedding.weight", 1+side*side, v.Width)
	if err != nil {
		return nil, err
	}
	// Building the graphs costs little and looks at every tensor, so a wrong
	// checkpoint is refused here and not in the middle of work.
	for _, build := range []func() (*net, error){
		func() (*net, error) { return textGraph(m.config, m.weights) },
		func() (*net, error) { return trunkGraph(m.config, m.weights) },
		func() (*net, error) { return camGraph(m.config, m.weights) },
	} {
		if _, err := build(); err != nil {
			return nil, err
		}
	}
	if m.text, err = newTextEncoder(m, tokenizer); err != nil {
		return nil, err
	}
	o.Log.Debug("model opened", "model", name, "from", where)
	return m, nil
}

// Info describes a model.
type Info struct {
	Name       string
	Width      int // of the vision transformer
	Layers     int // its blocks
	Heads      int
	Patch      int // side of a patch, pixels
	Resolution int // side of the square trained on, pixels
	Projection int // width of the common space
	TextWidth  int
	TextLayers int
	Context    int   // tokens of a text
	Vocabulary int   // ids
	Params     int64 // numbers in the checkpoint, buffers left out
	DType      string
}

// Info describes the model.
func (m *Model) Info() Info {
	v, t := m.config.Vision, m.config.Text
	params, dtype := m.weights.count()
	return Info{
		Name: m.name, Width: v.Width, Layers: v.Layers, Heads: v.Heads, Patch: v.PatchSize, Resolution: v.ImageSize,
		Projection: m.config.Projection, TextWidth: t.Width, TextLayers: t.Layers, Context: t.Context, Vocabulary: t.Vocab,
		Params: params, DType: dtype,
	}
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

// session loads a graph.
func (m *Model) session(n *net, err error) (*ort.Session, error) {
	if err != nil {
		return nil, err
	}
	return ort.NewSession(n.Name(), n.Marshal(), n.Inputs(), n.Outputs(), ort.Options{
		Threads: m.options.Threads,
		Device:  m.options.Device,
		Folder:  m.weights.folder,
		Log:     m.options.Log,
	})
}
