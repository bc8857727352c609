package bpe

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// The embedded vocabulary numbers its tokens like the files in Hugging Face's
// checkpoints.
func TestCLIPVocabulary(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(golden.Dir(t, "models", "micro-f"), "vocab.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]int32
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	got, err := CLIP()
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got.ids, want) {
		t.Errorf("%d tokens, or other ids than the %d of vocab.json", len(got.ids), len(want))
	}
	if got.Size() != 49408 || len(got.ranks) != 48894 {
		t.Errorf("size %d, %d merges", got.Size(), len(got.ranks))
	}
}
