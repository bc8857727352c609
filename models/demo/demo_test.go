package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestConceptsAreTheScripts compares the Go lists with those of the script that trained
// the model.
func TestConceptsAreTheScripts(t *testing.T) {
	script, err := os.ReadFile("train.py")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)CONCEPTS = """(.*?)"""`).FindSubmatch(script)
	if block == nil {
		t.Fatal("no CONCEPTS in train.py")
	}
	var want []string
	for f := range strings.FieldsSeq(string(block[1])) {
		name, _, _ := strings.Cut(f, ":")
		want = append(want, strings.ReplaceAll(name, "_", " "))
	}
	if !slices.Equal(Concepts, want) {
		t.Errorf("Concepts = %q, train.py has %q", Concepts, want)
	}

	block = regexp.MustCompile(`(?s)SYNONYMS = \{(.*?)\}`).FindSubmatch(script)
	if block == nil {
		t.Fatal("no SYNONYMS in train.py")
	}
	n := 0
	for _, m := range regexp.MustCompile(`"([^"]+)": \[([^\]]*)\]`).FindAllStringSubmatch(string(block[1]), -1) {
		if !slices.Contains(want, m[1]) {
			continue // of a concept that is not in this model
		}
		var syn []string
		if err := json.Unmarshal([]byte("["+m[2]+"]"), &syn); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(Synonyms[m[1]], syn) {
			t.Errorf("Synonyms[%q] = %q, train.py has %q", m[1], Synonyms[m[1]], syn)
		}
		n++
	}
	if n != len(Synonyms) {
		t.Errorf("%d concepts with synonyms, train.py has %d", len(Synonyms), n)
	}
}

func TestKnows(t *testing.T) {
	for name, want := range map[string]bool{
		"dog": true, " Soccer  Ball ": true, "PUPPY": true, "ice cream": true, "icecream": true,
		"person": false, "motorbike": false, "": false, "dogs": false, "grass": false,
	} {
		if got := Knows(name); got != want {
			t.Errorf("Knows(%q) = %v", name, got)
		}
	}
	if c, _ := Concept("aeroplane"); c != "airplane" {
		t.Errorf("Concept(aeroplane) = %q", c)
	}
}

// TestWeightsAreTheMeasuredOnes checks that metrics.json is about the embedded weights.
func TestWeightsAreTheMeasuredOnes(t *testing.T) {
	var metrics struct {
		SHA256   string `json:"weights_sha256"`
		Bytes    int    `json:"bytes"`
		Concepts int    `json:"concepts"`
	}
	b, err := os.ReadFile("metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &metrics); err != nil {
		t.Fatal(err)
	}
	w, err := FS.ReadFile("model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(w)
	if got := hex.EncodeToString(sum[:]); got != metrics.SHA256 || len(w) != metrics.Bytes {
		t.Errorf("model.safetensors is %d bytes, %s; metrics.json is about %d bytes, %s", len(w), got, metrics.Bytes, metrics.SHA256)
	}
	if len(Concepts) != metrics.Concepts {
		t.Errorf("%d concepts, metrics.json has %d", len(Concepts), metrics.Concepts)
	}
}
