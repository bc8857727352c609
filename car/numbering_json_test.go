package car

import (
	"encoding/json"
	"testing"
)

// TestNumberingJSON: a numbering that was written and read gives the IDs that it would have
// given, and one that cannot be is refused.
func TestNumberingJSON(t *testing.T) {
	var n Numbering
	if _, err := n.Number([]Query{Named("a"), Named("b"), Named("c")}); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	var read Numbering
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	clone := n.Clone()
	for name, m := range map[string]*Numbering{"read": &read, "cloned": &clone} {
		q, err := m.Number([]Query{Named("c"), Named("d")})
		if err != nil || q[0].ID != 3 || q[1].ID != 4 {
			t.Errorf("%s: %+v (%v)", name, q, err)
		}
	}
	if q, _ := n.Number([]Query{Named("d")}); q[0].ID != 4 {
		t.Error("a clone shares its numbers")
	}
	for _, wrong := range []string{`{"last":1,"labels":{"a":2}}`, `{"last":1,"labels":{"a":0}}`, `[]`} {
		if err := json.Unmarshal([]byte(wrong), &read); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
