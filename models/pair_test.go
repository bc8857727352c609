package models

import (
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/tensor"
	"github.com/carve-video/carve/models/demo"
)

// TestPair: one model in both roles is opened once, two models are opened each, and a judge
// whose options contradict the preset is an error.
func TestPair(t *testing.T) {
	one, err := OpenPair(t.Context(), demo.Name, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	if one.Proposer != one.Judge {
		t.Error("one model is open twice")
	}
	skips := car.Preset{Name: "skips", Quirks: car.Quirks{SkipLastBlock: true}}
	if _, err := one.Segmenter(skips); err == nil || !strings.Contains(err.Error(), "last block") {
		t.Errorf("a preset that leaves out the last block: %v", err)
	}

	dir := tiny.write(t, tensor.F32, 7)
	two, err := OpenPair(t.Context(), demo.Name, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if two.Proposer.Info().Name != demo.Name || two.Judge == two.Proposer {
		t.Errorf("the judge is %s, the proposer %s", two.Judge.Info().Name, two.Proposer.Info().Name)
	}
	if err := two.Close(); err != nil {
		t.Error(err)
	}

	// If the judge cannot be opened, the proposer is closed.
	if _, err := OpenPair(t.Context(), demo.Name, t.TempDir(), Options{}); err == nil {
		t.Error("an empty folder was opened as a judge")
	}
}
