// Package tracking carries what was found from frame to frame.
//
// CaR calls CLIP like an RNN: y_t = f(x_t, h_{t-1}), h_t = the queries that the
// judge let stand. On a still image every step sees the same x. On a video the
// frame is the time step: [Tracker] holds h, the set of surviving queries, and
// takes one recurrent step a frame over it, where the image loop would start
// from nothing and take several.
//
// A query that was dropped must be able to come back. So every step also asks
// some of the absent ones, each once in [Tracker.Probe] frames, which bounds
// both what this costs and how late a return is noticed. After a hard cut
// nothing that is remembered means anything: the loop starts over with all
// queries.
package tracking

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/carve-video/carve/car"
)

// A Tracker runs a segmenter over the frames of a video. Its exported fields
// are its parameters; set them before Initialize. It is for one goroutine,
// except that the [car.Segmenter]'s Refine may run on another.
type Tracker struct {
	// Segmenter does the work.
	Segmenter *car.Segmenter
	// Queries are what to look for.
	Queries []car.Query
	// Stateless runs the whole image loop on every frame instead of carrying
	// state.
	Stateless bool
	// Probe is the number of frames within which every absent query is asked
	// again, at least 1.
	Probe int

	bank  *car.Bank
	state []memory
	cuts  cutDetector
	frame int64
}

// memory is what is remembered of one query: its part of the hidden state.
type memory struct {
	present bool
	asked   int64 // the frame it was last asked in
}

// A Step is what one frame came to, before refinement.
type Step struct {
	Scene   *car.Scene
	Outcome *car.Outcome
	// Cut says that the frame began a new shot: nothing was carried into it.
	Cut bool
}

// Close gives the step's memory back.
func (s *Step) Close() { s.Scene.Close() }

// Initialize embeds the queries.
func (t *Tracker) Initialize(ctx context.Context) error {
	if t.Probe < 1 {
		return fmt.Errorf("absent queries are to be asked every %d frames", t.Probe)
	}
	bank, err := t.Segmenter.Encode(ctx, t.Queries)
	if err != nil {
		return err
	}
	t.bank = bank
	t.state = make([]memory, len(t.Queries))
	return nil
}

// Step takes the next frame. The picture must stay as it is until the step is
// closed.
func (t *Tracker) Step(ctx context.Context, img *car.Image) (*Step, error) {
	cut := t.cuts.cut(img)
	fresh := cut || t.frame == 0
	scene, err := t.Segmenter.Look(ctx, img)
	if err != nil {
		return nil, err
	}
	var out *car.Outcome
	if fresh || t.Stateless {
		out, err = t.Segmenter.Loop(ctx, scene, t.bank)
	} else {
		out, err = t.Segmenter.Step(ctx, scene, t.bank, t.ask())
	}
	if err != nil {
		scene.Close()
		return nil, err
	}
	t.remember(out)
	t.frame++
	return &Step{Scene: scene, Outcome: out, Cut: cut}, nil
}

// ask chooses the queries of a recurrent step, in ascending order: those that
// are present, and of the absent ones as many as must be asked for each to have
// its turn in time, those first that have waited longest.
func (t *Tracker) ask() []int {
	var asked, absent []int
	for q, m := range t.state {
		if m.present {
			asked = append(asked, q)
		} else {
			absent = append(absent, q)
		}
	}
	slices.SortStableFunc(absent, func(a, b int) int { return cmp.Compare(t.state[a].asked, t.state[b].asked) })
	turn := (len(absent) + t.Probe - 1) / t.Probe
	asked = append(asked, absent[:turn]...)
	slices.Sort(asked)
	return asked
}

// remember makes what stood in this frame the state that the next begins with.
func (t *Tracker) remember(out *car.Outcome) {
	for _, st := range out.Stages {
		for _, q := range st.Asked {
			t.state[q] = memory{asked: t.frame}
		}
	}
	for _, q := range out.Kept() {
		t.state[q].present = true
	}
}
