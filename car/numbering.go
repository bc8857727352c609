package car

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// A Numbering gives queries IDs that stay the same while the set changes. The zero value
// is ready. It is for one goroutine at a time.
type Numbering struct {
	last   int
	labels map[string]int // the IDs of all labels so far
}

// numbering is the JSON of a Numbering.
type numbering struct {
	Last   int            `json:"last"`
	Labels map[string]int `json:"labels"`
}

// MarshalJSON implements json.Marshaler.
func (n Numbering) MarshalJSON() ([]byte, error) { return json.Marshal(numbering{n.last, n.labels}) }

// UnmarshalJSON implements json.Unmarshaler.
func (n *Numbering) UnmarshalJSON(data []byte) error {
	var v numbering
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	for label, id := range v.Labels {
		if id < 1 || id > v.Last {
			return fmt.Errorf("query %q has the ID %d of %d", excerpt(label), id, v.Last)
		}
	}
	*n = Numbering{v.Last, v.Labels}
	return nil
}

// Clone returns a copy.
func (n *Numbering) Clone() Numbering { return Numbering{n.last, maps.Clone(n.labels)} }

// Number returns the queries, each with an ID: its own, or the one that its label had
// before, or a new one. It is an error if two queries have the same ID or one is
// negative.
func (n *Numbering) Number(queries []Query) ([]Query, error) {
	numbered := append([]Query(nil), queries...)
	taken := make(map[int]string)
	for _, q := range queries {
		if q.ID < 0 {
			return nil, fmt.Errorf("query %q: the ID %d is negative", excerpt(q.Label), q.ID)
		}
		if q.ID == 0 {
			continue
		}
		if other, ok := taken[q.ID]; ok {
			return nil, fmt.Errorf("queries %q and %q have the same ID %d", excerpt(other), excerpt(q.Label), q.ID)
		}
		taken[q.ID] = q.Label
		n.last = max(n.last, q.ID)
	}
	if n.labels == nil {
		n.labels = make(map[string]int)
	}
	for i := range numbered {
		q := &numbered[i]
		if q.ID == 0 {
			id, known := n.labels[q.Label]
			if _, used := taken[id]; !known || used {
				n.last++
				id = n.last
			}
			q.ID, taken[id] = id, q.Label
		}
		n.labels[q.Label] = q.ID
	}
	return numbered, nil
}

// SameMeaning reports whether two queries have the same phrases, background words and
// thresholds, whatever their labels and colours.
func (q *Query) SameMeaning(other *Query) bool {
	same := func(a, b *float32) bool { return a == b || a != nil && b != nil && *a == *b }
	return q.meaning() == other.meaning() && slices.Equal(q.Background, other.Background) &&
		same(q.Theta, other.Theta) && same(q.Presence, other.Presence)
}
