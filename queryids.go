package carve

import (
	"cmp"
	"fmt"

	"github.com/carve-video/carve/car"
)

// queryID is the ID of a query, also where queries have none.
func queryID(q car.Query, place int) int { return cmp.Or(q.ID, place+1) }

// queryIDs are the IDs of the queries that a sink is for; nil stands for all.
type queryIDs map[int]bool

func (s queryIDs) has(id int) bool { return s == nil || s[id] }

// chooseQueries returns the queries with some labels, all of them without labels. The choice
// stays if a query is renamed while the run goes on.
func chooseQueries(labels []string, queries []car.Query) (queryIDs, error) {
	if len(labels) == 0 {
		return nil, nil
	}
	ids := make(queryIDs)
	for _, label := range labels {
		found := false
		for i, q := range queries {
			if q.Label == label {
				ids[queryID(q, i)], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no query %q", label)
		}
	}
	return ids, nil
}
