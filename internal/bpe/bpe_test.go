package bpe

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/golden"
)

func load(t testing.TB, dir string) *Tokenizer {
	t.Helper()
	vocab, err := os.ReadFile(filepath.Join(dir, "vocab.json"))
	if err != nil {
		t.Fatal(err)
	}
	merges, err := os.ReadFile(filepath.Join(dir, "merges.txt"))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := New(vocab, merges)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// fullVocabulary returns a golden model folder with CLIP's whole vocabulary.
func fullVocabulary(t testing.TB) *Tokenizer {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(golden.Dir(t, "models"), "*", "merges.txt"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no model with merges.txt in the golden data: %v", err)
	}
	return load(t, filepath.Dir(dirs[0]))
}

// Ids and cleaned text equal the reference's for every row, including those for ftfy.
func TestGolden(t *testing.T) {
	var data struct {
		Rows []struct {
			Text  string
			IDs   []int32
			Error *string
			Body  *int `json:"n_body"`
			Clean string
		}
	}
	raw, err := os.ReadFile(golden.Dir(t, "units", "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &data); err != nil {
		t.Fatal(err)
	}
	if len(data.Rows) == 0 {
		t.Fatal("no rows")
	}
	const context = 77
	tok := fullVocabulary(t)
	for _, r := range data.Rows {
		if got := Clean(r.Text); got != r.Clean {
			t.Errorf("Clean(%q) = %q, want %q", r.Text, got, r.Clean)
		}
		ids, err := tok.EncodeMax(r.Text, context)
		if r.Error != nil {
			var long *TooLongError
			if !errors.As(err, &long) || !errors.Is(err, ErrTooLong) || long.Text != r.Text || long.Max != context {
				t.Errorf("%q: error %v, want a TooLongError", r.Text, err)
			} else if r.Body != nil && long.Tokens != *r.Body+2 {
				t.Errorf("%q: %d tokens, want %d", r.Text, long.Tokens, *r.Body+2)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", r.Text, err)
		} else if !slices.Equal(ids, r.IDs) {
			t.Errorf("%q: ids %v, want %v", r.Text, ids, r.IDs)
		}
	}
}

func TestMend(t *testing.T) {
	for in, want := range map[string]string{
		"&acirc;&euro;&trade;": "'",
		"Â° cafÃ©":             "° café",
		"ðŸ\u0090¶":            "🐶",
		"«CAFÉ»":               "«café»", // É» would be a UTF-8 sequence, but is meant literally
		"Ã":                    "ã",
		"\x1b[1mdog\x1b[0m":    "dog",
		"dog\x00\xffcat":       "dog\ufffdcat",
		"<b> &amp;amp; x":      "<b> & x",
		"ΣΑΣ ΣΑΣ":              "σας σας",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// Start and end come from vocab.json, whatever its size.
func TestSmallVocabulary(t *testing.T) {
	dir := golden.Shared(t, "demo-model")
	tok := load(t, dir)
	ids := tok.Encode("a " + endOfText + " b")
	if ids[0] != tok.ids[startOfText] || ids[len(ids)-1] != tok.End() || !slices.Contains(ids[:len(ids)-1], tok.End()) {
		t.Errorf("ids %v", ids)
	}
	if got := tok.Encode(" \t\n"); !slices.Equal(got, []int32{tok.start, tok.end}) {
		t.Errorf("blank text: %v", got)
	}
	for _, id := range ids {
		if int(id) >= tok.Size() {
			t.Errorf("id %d of %d", id, tok.Size())
		}
	}
}

func TestNewRejects(t *testing.T) {
	all := map[string]int{startOfText: 512, endOfText: 513, "ab": 514}
	for i, c := range byteChars {
		all[string(c)], all[string(c)+endOfWord] = i, 256+i
	}
	vocab := func(drop string) []byte {
		m := map[string]int{}
		for k, v := range all {
			if k != drop {
				m[k] = v
			}
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if _, err := New(vocab(""), []byte("#version: 0.2\na b\n")); err != nil {
		t.Fatalf("a good vocabulary was refused: %v", err)
	}
	for name, c := range map[string]struct {
		vocab  []byte
		merges string
		want   string
	}{
		"json":        {[]byte("["), "a b", "vocab.json"},
		"no start":    {vocab(startOfText), "a b", startOfText},
		"no end":      {vocab(endOfText), "a b", endOfText},
		"no byte":     {vocab("q"), "a b", `"q"`},
		"no pair":     {vocab(""), "ab", "line 1"},
		"three":       {vocab(""), "a b c", "line 1"},
		"no result":   {vocab(""), "a b\na c", "line 2"},
		"no merges":   {vocab(""), "", "no merges"},
		"only header": {vocab(""), "#version: 0.2\n", "no merges"},
	} {
		if _, err := New(c.vocab, []byte(c.merges)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
}

func FuzzEncode(f *testing.F) {
	for _, s := range []string{"a dog's life", "cafÃ©", "&amp;lt;", "🐶\x00\xff", "İSTANBUL ΟΔΟΣ", "<|endoftext|>"} {
		f.Add(s)
	}
	tok := load(f, golden.Shared(f, "demo-model"))
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return // long texts take too long
		}
		clean := Clean(text)
		if !utf8.ValidString(clean) || strings.TrimSpace(clean) != clean {
			t.Fatalf("Clean(%q) = %q", text, clean)
		}
		ids := tok.Encode(text)
		if ids[0] != tok.start || ids[len(ids)-1] != tok.end {
			t.Fatalf("ids %v", ids)
		}
		for _, id := range ids {
			if id < 0 || int(id) >= tok.Size() {
				t.Fatalf("id %d", id)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	tok := fullVocabulary(b)
	for b.Loop() {
		tok.Encode("This is a photo of a person with clothes,people,human.")
	}
}
