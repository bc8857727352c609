package models

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/carve-video/carve/internal/ort"
)

const (
	// textBatch bounds the texts of one run. A COCO run has 1,200; more than
	// this at a time is not faster.
	textBatch = 64

	// textCache bounds the texts remembered. The largest preset needs some
	// 13,000 (847 names, 15 templates); when it is full it is emptied, which
	// costs a stage and no correctness.
	textCache = 1 << 15

	// maxScale bounds what cosines are multiplied by, which is 100 in every CLIP.
	maxScale = 1e6
)

// A tokenizer is a [bpe.Tokenizer]; tests have wrong ones.
type tokenizer interface {
	Encode(text string) []int32
	EncodeMax(text string, max int) ([]int32, error)
}

// A textEncoder turns texts into unit vectors and remembers them. It may be
// used from several goroutines; runs take turns.
type textEncoder struct {
	model     *Model
	tokenizer tokenizer
	scale     float32

	mu      sync.Mutex
	graph   *net         // until there is a session
	session *ort.Session // made when the first text comes that is not known
	cache   map[string][]float32

	opened  bool                 // whether the remembered texts have been read
	file    string               // where texts are remembered on disk; empty for nowhere
	size    int                  // of file, when it was last read or written
	written time.Time            // when it was last written
	unsaved map[string][]float32 // texts that are not yet in it
}

func newTextEncoder(m *Model, t tokenizer, graph *net) (*textEncoder, error) {
	scale, err := m.weights.floats("logit_scale")
	if err != nil {
		return nil, err
	}
	factor := math.Exp(float64(scale[0]))
	if !(factor > 0) || factor > maxScale {
		return nil, m.unsound(fmt.Sprintf("its logit_scale is %v", scale[0]))
	}
	return &textEncoder{
		model:     m,
		tokenizer: t,
		graph:     graph,
		scale:     float32(factor),
		cache:     map[string][]float32{},
	}, nil
}

// LogitScale implements [car.TextEncoder].
func (e *textEncoder) LogitScale() float32 { return e.scale }

// EncodeTexts implements [car.TextEncoder].
func (e *textEncoder) EncodeTexts(ctx context.Context, texts []string) ([][]float32, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.recall()
	type job struct {
		text string
		ids  []int32
	}
	var jobs []job
	asked := map[string]bool{}
	for _, text := range texts {
		if e.cache[text] != nil || asked[text] {
			continue
		}
		ids, err := e.tokenizer.EncodeMax(text, e.model.config.Text.Context)
		if err != nil {
			return nil, err
		}
		asked[text] = true
		jobs = append(jobs, job{text, ids})
	}
	// Texts of like length go together: a batch is as long as its longest.
	slices.SortStableFunc(jobs, func(a, b job) int { return cmp.Compare(len(a.ids), len(b.ids)) })
	fresh := map[string][]float32{}
	for batch := range slices.Chunk(jobs, textBatch) {
		ids := make([][]int32, len(batch))
		for i, j := range batch {
			ids[i] = j.ids
		}
		vectors, err := e.run(ctx, ids)
		if err != nil {
			return nil, fmt.Errorf("failed to encode texts: %w", err)
		}
		for i, j := range batch {
			if w := wrong(vectors[i]); w != "" {
				return nil, e.model.unsound(fmt.Sprintf("what it makes of the text %.40q %s", j.text, w))
			}
			fresh[j.text] = vectors[i]
		}
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		if out[i] = fresh[text]; out[i] == nil {
			out[i] = e.cache[text]
		}
	}
	if len(e.cache)+len(fresh) > textCache {
		clear(e.cache)
	}
	maps.Copy(e.cache, fresh)
	if e.file != "" {
		maps.Copy(e.unsaved, fresh)
		if e.size <= rememberAtOnce || time.Since(e.written) >= rememberEvery {
			e.save()
		}
	}
	return out, nil
}

// save writes the texts that are new to where they are remembered. Not being
// able to costs time, no more.
func (e *textEncoder) save() {
	if len(e.unsaved) == 0 {
		return
	}
	var err error
	if e.size, err = remember(e.file, e.unsaved, e.model.config.Projection); err != nil {
		e.model.options.Log.Warn("texts cannot be remembered", "err", err)
		e.file = ""
	}
	e.written = time.Now()
	clear(e.unsaved)
}

// recall reads the texts that are remembered on disk, when the first is asked
// for.
func (e *textEncoder) recall() {
	if e.opened {
		return
	}
	e.opened = true
	if e.file = e.model.rememberedFile(); e.file != "" {
		e.cache, e.unsaved = readRemembered(e.file, e.model.config.Projection), map[string][]float32{}
		for text := range e.cache {
			e.size += len(text) + 4*e.model.config.Projection
		}
	}
}

// run encodes a batch of token ids, each of which ends with its end of text.
func (e *textEncoder) run(ctx context.Context, batch [][]int32) ([][]float32, error) {
	if e.session == nil {
		s, err := e.model.session(e.graph)
		if err != nil {
			return nil, err
		}
		e.session, e.graph = s, nil
	}
	longest := 0
	for _, ids := range batch {
		longest = max(longest, len(ids))
	}
	width := e.model.config.Projection
	ids, ends := make([]int64, len(batch)*longest), make([]int64, len(batch))
	for i, row := range batch {
		for j, id := range row {
			ids[i*longest+j] = int64(id)
		}
		ends[i] = int64(i*longest + len(row) - 1)
	}
	flat := make([]float32, len(batch)*width)
	var t tensors
	defer t.destroy()
	in := []ort.Tensor{add(&t, ids, len(batch), longest), add(&t, ends, len(batch))}
	out := []ort.Tensor{add(&t, flat, len(batch), width)}
	if t.err != nil {
		return nil, t.err
	}
	if err := e.session.Run(ctx, in, out); err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(flat, width)), nil
}

func (e *textEncoder) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.save()
	return e.session.Close()
}

// tensors are made together, checked once, and freed together.
type tensors struct {
	all []ort.Tensor
	err error
}

// add makes a tensor over data.
func add[T ort.Element](t *tensors, data []T, shape ...int) ort.Tensor {
	tensor, err := ort.NewTensor(data, shape...)
	if err != nil {
		if t.err == nil {
			t.err = err
		}
		return nil
	}
	t.all = append(t.all, tensor)
	return tensor
}

func (t *tensors) destroy() {
	for _, tensor := range t.all {
		tensor.Destroy() // frees a handle; the data is Go's
	}
	t.all = nil
}
