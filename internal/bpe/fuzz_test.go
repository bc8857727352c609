package bpe

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// FuzzNew reads foreign vocabularies: every one that New accepts can be used, and gives
// ids within the vocabulary.
func FuzzNew(f *testing.F) {
	ids := idsOf([]byte("d o\ndo g</w>\n"))
	vocab, err := json.Marshal(ids)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(vocab, []byte("#version: 0.2\nd o\ndo g</w>\n"), "a dog")
	f.Add(vocab, []byte("d o\nd o\n"), "dodo")
	f.Add(vocab, []byte("do\n"), "x")
	f.Add([]byte(`{"a":-1}`), []byte(" "), "x")
	f.Add([]byte(`{"a":1e99}`), []byte(strings.Repeat("a ", 100)), "x")
	f.Add([]byte(strings.Replace(string(vocab), `"dog\u003c/w\u003e":`, `"dog\u003c/w\u003e":2147483647,"":`, 1)), []byte("d o\ndo g</w>\n"), "dog")
	f.Fuzz(func(t *testing.T, vocab, merges []byte, text string) {
		tok, err := New(vocab, merges)
		if err != nil {
			return
		}
		got := tok.Encode(text)
		if len(got) < 2 || got[0] != tok.start || got[len(got)-1] != tok.end {
			t.Fatalf("%q becomes %v", text, got)
		}
		for _, id := range got {
			if id < 0 || int(id) >= tok.Size() {
				t.Fatalf("%q has the id %d of %d", text, id, tok.Size())
			}
		}
		if again := tok.Encode(text); !slices.Equal(got, again) {
			t.Fatalf("%q becomes %v, then %v", text, got, again)
		}
	})
}
