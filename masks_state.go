package carve

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/maskmanifest"
)

// A masksState is what a sequence that goes on in another run has to know: which concepts
// and instances have which names and numbers.
type masksState struct {
	Concepts []maskmanifest.Concept `json:"concepts"`
	Things   int                    `json:"things"` // instances that have a number
}

// State implements [Stateful].
func (m *Masks) State() ([]byte, error) {
	state := masksState{Things: m.things}
	for _, c := range m.concepts {
		one := maskmanifest.Concept{Label: c.Label, ID: c.ID, Colour: c.Colour}
		for _, in := range c.instances {
			one.Instances = append(one.Instances, maskmanifest.Instance{Number: in.Number, Index: in.Index})
		}
		state.Concepts = append(state.Concepts, one)
	}
	return json.Marshal(state)
}

// SetState implements [Stateful]. Queries of now that the state does not have come after those
// that it has.
func (m *Masks) SetState(data []byte) error {
	var state masksState
	if err := json.Unmarshal(data, &state); err != nil {
		return fmt.Errorf("reading the state of a mask sequence: %w", err)
	}
	m.forget()
	ctx := context.Background()
	for _, one := range state.Concepts {
		if m.only != nil && !m.only[one.ID] {
			continue
		}
		if m.concept(one.ID) != nil {
			return fmt.Errorf("the state of a mask sequence has two concepts with the ID %d", one.ID)
		}
		c, err := m.add(ctx, car.Query{Label: one.Label, ID: one.ID}, one.Colour)
		if err != nil {
			return err
		}
		if !m.Instances && m.split() != SplitInstance {
			continue
		}
		for _, in := range one.Instances {
			if in.Index < 0 || in.Index > state.Things || m.format.indexed && in.Index == 0 {
				return fmt.Errorf("the state of a mask sequence has an instance with the number %d of %d", in.Index, state.Things)
			}
			m.things = in.Index - 1 // so that it gets this number
			if _, err := m.instance(ctx, c, in.Number); err != nil {
				return err
			}
		}
	}
	m.things = state.Things
	return m.set(ctx, m.stream.Queries)
}
