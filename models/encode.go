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
	// textBatch is the largest number of texts of one run. A COCO run has 1,200; a
	// larger batch is not faster.
	textBatch = 64

	// maxCachedTexts is the largest number of cached texts. The largest preset needs
	// some 13,000 (847 names, 15 templates). A full cache is emptied: texts are then
	// encoded again.
	maxCachedTexts = 1 << 15

	// maxScale is the largest logit scale, which is 100 in every CLIP.
	maxScale = 1e6
)

// A tokenizer is a [bpe.Tokenizer]; tests replace it.
type tokenizer interface {
	Encode(text string) []int32
	EncodeMax(text string, max int) ([]int32, error)
}

// A textEncoder encodes texts as unit vectors and caches them. It is safe for concurrent
// use; runs do not overlap.
type textEncoder struct {
	model     *Model
	tokenizer tokenizer
	scale     float32

	mu      sync.Mutex
	graph   *net         // until there is a session
	session *ort.Session // created for the first text that is not cached
	cache   map[string][]float32

	cacheLoaded bool                 // whether the texts on disk have been read
	file        string               // cache of texts on disk; empty for none
	size        int                  // of file, when it was last read or written
	written     time.Time            // when it was last written
	unsaved     map[string][]float32 // texts that are not in file yet
}

func newTextEncoder(m *Model, t tokenizer, graph *net) (*textEncoder, error) {
	scale, err := m.weights.floats("logit_scale")
	if err != nil {
		return nil, err
	}
	factor := math.Exp(float64(scale[0]))
	if !(factor > 0) || factor > maxScale {
		return nil, m.invalid(fmt.Sprintf("its logit_scale is %v", scale[0]))
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
	e.loadCache()
	type job struct {
		text string
		ids  []int32
	}
	var jobs []job
	queued := map[string]bool{}
	for _, text := range texts {
		if e.cache[text] != nil || queued[text] {
			continue
		}
		ids, err := e.tokenizer.EncodeMax(text, e.model.config.Text.Context)
		if err != nil {
			return nil, err
		}
		queued[text] = true
		jobs = append(jobs, job{text, ids})
	}
	// Texts of similar length go together: a batch is as long as its longest text.
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
			if w := vectorDefect(vectors[i]); w != "" {
				return nil, e.model.invalid(fmt.Sprintf("its vector of the text %.40q %s", j.text, w))
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
	if len(e.cache)+len(fresh) > maxCachedTexts {
		clear(e.cache)
	}
	maps.Copy(e.cache, fresh)
	if e.file != "" {
		maps.Copy(e.unsaved, fresh)
		if e.size <= smallTextFile || time.Since(e.written) >= saveInterval {
			e.save()
		}
	}
	return out, nil
}

// save writes new texts to the cache on disk. A failure only costs time.
func (e *textEncoder) save() {
	if len(e.unsaved) == 0 {
		return
	}
	var err error
	if e.size, err = updateTextCache(e.file, e.unsaved, e.model.config.Projection); err != nil {
		e.model.options.Log.Warn("texts cannot be cached", "err", err)
		e.file = ""
	}
	e.written = time.Now()
	clear(e.unsaved)
}

// loadCache reads the texts that are cached on disk, before the first one is encoded.
func (e *textEncoder) loadCache() {
	if e.cacheLoaded {
		return
	}
	e.cacheLoaded = true
	if e.file = e.model.textCacheFile(); e.file != "" {
		e.cache, e.unsaved = readTextCache(e.file, e.model.config.Projection), map[string][]float32{}
		for text := range e.cache {
			e.size += len(text) + 4*e.model.config.Projection
		}
	}
}

// run encodes a batch of token ids. Each row ends with the end-of-text token.
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

// tensors are created together, checked once, and freed together.
type tensors struct {
	all []ort.Tensor
	err error
}

// add creates a tensor over data.
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
		tensor.Destroy() // frees a handle; Go owns the data
	}
	t.all = nil
}
