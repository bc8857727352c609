package carve

import (
	"testing"

	"github.com/carve-video/carve/car"
)

// TestQueryIDs: labels stand for IDs, or for places where queries have none, and no label
// stands for all queries.
func TestQueryIDs(t *testing.T) {
	queries := []car.Query{{ID: 7, Label: "dog"}, {ID: 5, Label: "cat"}, {Label: "car"}}
	ids, err := chooseQueries([]string{"cat", "car"}, queries)
	if err != nil || len(ids) != 2 || !ids[5] || !ids[3] {
		t.Errorf("%v (%v)", ids, err)
	}
	queries[1].Label = "kitten"
	if !ids[queryID(queries[1], 1)] || ids[queryID(queries[0], 0)] {
		t.Error("a renamed query is another one")
	}
	if ids, err := chooseQueries(nil, queries); ids != nil || err != nil {
		t.Errorf("no label is %v (%v)", ids, err)
	}
	if _, err := chooseQueries([]string{"fish"}, queries); err == nil {
		t.Error("a label of no query is taken")
	}
}
