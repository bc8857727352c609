package maskmanifest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRoundTrip(t *testing.T) {
	m := Manifest{Version: Version, Kind: Kind, Width: 4, Height: 2, Format: "png", Bits: 8, Split: "instance", Values: ValuesCoverage,
		Start: 1001, Frames: 2, Rate: "25/1", TimeBase: "1/25", PTS: []int64{-1, 3}, Timecodes: []string{"10:00:00:00", "10:00:00:01"},
		Concepts: []Concept{{Label: "a <b>", ID: 1, Colour: "#ff0000", Files: "a/%03d.png"},
			{Label: "c", ID: 2, Instances: []Instance{{Number: 2, Files: "c/2/{timecode}_{pts}_{frame}.png", Present: 1}}}}}
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "\n  \"pts\": [-1, 3]\n}\n") || !strings.Contains(string(data), "a <b>") {
		t.Errorf("%s", data)
	}
	got, err := Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&m, got); d != "" {
		t.Error(d)
	}
	want := []string{"a/1001.png", "a/1002.png", "c/2/10-00-00-00_-1_1001.png", "c/2/10-00-00-01_3_1002.png"}
	if names := slices.Collect(got.Names()); !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

func TestOther(t *testing.T) {
	for _, text := range []string{`{"1": "dog"}`, `{}`, `{"kind": 3}`} {
		if _, err := Unmarshal([]byte(text)); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`{"kind": "masks", "version": 3}`, `{"kind": "masks"}`, `[]`, ``, `{"kind": "masks", "version": 1, "pts": ["a"]}`} {
		if _, err := Unmarshal([]byte(text)); err == nil || errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
