package boundedjson

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/hostile"
)

var few = Limits{Bytes: 1000, Depth: 4, Count: 20}

func TestLimits(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": [[[1]]]}`:                        "",
		"\ufeff[1]":                             "",
		`["[[[[[[[[", "\"[[[[[[[[[", "\\"]`:     "",
		`[[[[[1]]]]]`:                           "nested more than 4 deep",
		strings.Repeat("[", 900):                "nested more than 4 deep",
		`{"a":` + strings.Repeat(`{"a":`, 9):    "nested more than 4 deep",
		"[" + strings.Repeat("{},", 30) + "{}]": "more than 20 lists and objects",
		"[" + strings.Repeat("1,", 600) + "1]":  "larger than 1000 bytes",
		"\"caf\xe9\"":                           "not UTF-8",
		"\xff\xfe[\x00]\x00":                    "save it as UTF-8",
		`["\\"` + strings.Repeat("[", 9):        "nested more than 4 deep",
		`[1`:                                    "unexpected end",
		``:                                      "unexpected end",
	} {
		var v any
		err := few.Unmarshal([]byte(text), &v)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60q: error %v, want %q", text, err, want)
		}
	}
	var v any
	for path, want := range map[string]string{"/dev/zero": "is a device", t.TempDir(): "is a folder"} {
		if err := few.ReadFile(path, &v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

// The result for an accepted text is that of the library, and no text takes long.
func FuzzUnmarshal(f *testing.F) {
	for _, text := range hostile.JSON(64) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got, want any
		if err := few.Unmarshal([]byte(text), &got); err != nil {
			return
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &want); err != nil {
			t.Errorf("%q is let through, and is no JSON: %v", text, err)
		}
	})
}
