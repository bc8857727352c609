package carve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carve-video/carve/car"
)

// A masksState is what a sequence that goes on in another run has to know: which concepts
// and instances have which names and numbers.
type masksState struct {
	Concepts []conceptState `json:"concepts"`
	// Numbered are the instances that have a number in indexed images, from 1 on.
	Numbered []instanceState `json:"numbered,omitempty"`
}

type conceptState struct {
	Label  string `json:"label"`
	ID     int    `json:"id"`
	Colour string `json:"colour"`
	// Instances are the numbers of the instances that have files of their own.
	Instances []int `json:"instances,omitempty"`
}

type instanceState struct {
	Concept  int `json:"concept"` // its ID
	Instance int `json:"instance"`
	Unseen   int `json:"unseen"` // frames since it was seen
}

// State implements [Stateful].
func (m *Masks) State() ([]byte, error) {
	state := masksState{Numbered: make([]instanceState, len(m.numbered))}
	for i := range state.Numbered {
		state.Numbered[i] = instanceState{Concept: m.numbered[i].concept, Instance: m.numbered[i].Number, Unseen: m.written - m.numbered[i].last}
	}
	for _, c := range m.concepts {
		one := conceptState{Label: c.Label, ID: c.ID, Colour: c.Colour}
		for _, in := range c.instances {
			if m.split() == SplitInstance {
				one.Instances = append(one.Instances, in.Number)
			}
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
	if len(state.Numbered) > maxIndex {
		return errors.New("reading the state of a mask sequence: it has more instances than numbers")
	}
	m.restored = true
	m.forget()
	ctx := context.Background()
	for _, one := range state.Concepts {
		if !m.only.has(one.ID) {
			continue
		}
		if m.concept(one.ID) != nil {
			return fmt.Errorf("reading the state of a mask sequence: two concepts have the ID %d", one.ID)
		}
		c, err := m.add(ctx, car.Query{Label: one.Label, ID: one.ID}, one.Colour)
		if err != nil {
			return err
		}
		for _, number := range one.Instances {
			if m.split() != SplitInstance {
				break
			}
			if _, err := m.instance(ctx, c, number); err != nil {
				return err
			}
		}
	}
	for i, one := range state.Numbered {
		if !m.Instances {
			break
		}
		in := &maskInstance{concept: one.Concept, last: -one.Unseen}
		in.Number, in.Index, in.Palette = one.Instance, i+1, m.hex(i+1)
		m.numbered = append(m.numbered, in)
		if c := m.concept(one.Concept); c != nil {
			c.instances = append(c.instances, in)
		}
	}
	return m.set(ctx, m.stream.Queries)
}
