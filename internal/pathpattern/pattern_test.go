package pathpattern

import (
	"errors"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func parse(t testing.TB, pattern string) Pattern {
	t.Helper()
	p, err := Parse(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFile(t *testing.T) {
	for pattern, want := range map[string]string{
		"a/%06d.png":                        "a/000042.png",
		"%d.png":                            "42.png",
		"{frame}.png":                       "42.png",
		"%019d":                             "0000000000000000042",
		"{concept}/{instance}/%04d.png":     "red dog/3/0042.png",
		"{name}_{concept}.%01d.tif":         "clip_red dog.42.tif",
		"{pts}-{timecode}-{frame}":          "-512-01-02-03-04-42",
		"100%%/{{x}}/50%_%6d%x/}%06dx.png":  "100%/{x}/50%_%6d%x/}000042x.png",
		"%020d%d":                           "%020d42",
		"{concept}/{concept}_{frame}.png":   "red dog/red dog_42.png",
		"plain":                             "plain",
		"%":                                 "%",
		"{concept}%%d":                      "red dog%d",
		filepath.Join("a", "b", "%03d.png"): "a/b/042.png",
	} {
		p := parse(t, pattern)
		filled := p.Fill(Name, "clip").Fill(Concept, "red dog").Fill(Instance, "3")
		if got := filled.File(Time{42, -512, "01:02:03;04"}); got != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
		if again := parse(t, p.String()); again.String() != p.String() || !slices.Equal(again.parts, p.parts) {
			t.Errorf("%s: written as %s", pattern, p)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"{concpt}/%06d.png": "did you mean {concept}?",
		"{zzzzzz}":          "known are {frame}, {concept}",
		"a{frame":           "not closed",
		"{}":                "unknown",
	} {
		if _, err := Parse(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pattern, err, want)
		}
	}
}

func TestCut(t *testing.T) {
	for pattern, want := range map[string][2]string{
		"out/a/%06d.png":           {"out/a", "%06d.png"},
		"%06d.png":                 {".", "%06d.png"},
		"/%06d.png":                {"/", "%06d.png"},
		"../x/{concept}//%06d.png": {"../x", "{concept}/%06d.png"},
		"out/dog.%d.png":           {"out", "dog.%d.png"},
	} {
		dir, rest, err := parse(t, pattern).Cut()
		if err != nil || filepath.ToSlash(dir) != want[0] || rest.String() != want[1] {
			t.Errorf("%s: %q and %q, %v", pattern, dir, rest, err)
		}
	}
	for _, pattern := range []string{"{concept}/../%06d.png", "{concept}/./%d", "%d/", ""} {
		if _, _, err := parse(t, pattern).Cut(); err == nil {
			t.Errorf("%q is taken", pattern)
		}
	}
}

func TestCheck(t *testing.T) {
	for pattern, ok := range map[string]bool{
		"%06d.png": true, "{concept}/{instance}.%06d": true, "{frame}-{pts}": true,
		"{pts}.png": false, "a.png": false, "{concept}%06d.png": false, "{concept}0{frame}": false,
		"{instance}{concept}/%d": false, "{frame}/{pts}": true,
	} {
		err := parse(t, pattern).Check()
		if (err == nil) != ok {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	if err := parse(t, "{concept}%d").Check(); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("%v", err)
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"dog": "dog", "red frisbee": "red frisbee", "a/b": "a_b", `a:b\c*?"<>|`: "a_b_c______",
		"..": "__", ".hidden": "_hidden", "end. ": "end__", "": "_", " x": "_x",
		"con": "_con", "NUL.txt": "_NUL.txt", "com1": "_com1", "LPT²": "_LPT²", "com": "com", "console": "console", "com10": "com10", "aux ": "aux_",
		"100%": "100_", "{frame}": "_frame_", "tab\tnew\nnul\x00": "tab_new_nul_", "bad\xff": "bad_",
		"Ünï": "Ünï", "\u0055\u0308": "Ü", "狗": "狗", "a\u202eb": "a_b",
		strings.Repeat("狗", 60): strings.Repeat("狗", 40),
	} {
		if got := Clean(text); got != want || Clean(got) != got {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	var n Names
	var got []string
	for _, text := range []string{"Dog", "dog", "dog-2", "a/b", "a:b", "DOG", "straße", "STRASSE", "é", "e\u0301", "_", ""} {
		got = append(got, n.Add(text))
	}
	want := []string{"Dog", "dog-2", "dog-2-2", "a_b", "a_b-2", "DOG-3", "straße", "STRASSE-2", "é", "é-2", "_", "_-2"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFind(t *testing.T) {
	root := fstest.MapFS{}
	for _, name := range []string{"dog/000001.png", "dog/2.png", "dog/x.png", "cat/1/3.png", "4.png", "dog/5.png/a", "dog/99999999999999999999.png"} {
		root[name] = &fstest.MapFile{}
	}
	for pattern, want := range map[string][]string{
		"{concept}/%06d.png":         {"dog/000001.png", "dog/2.png"},
		"%d.png":                     {"4.png"},
		"cat/{instance}/{frame}.png": {"cat/1/3.png"},
		"none/%d.png":                nil,
	} {
		files, frames, err := parse(t, pattern).Find(root)
		if err != nil || !slices.Equal(files, want) || len(frames) != len(files) {
			t.Errorf("%s: %q, %v", pattern, files, err)
		}
		for i, n := range frames {
			if !strings.Contains(files[i], string('0'+rune(n))) {
				t.Errorf("%s has the number %d", files[i], n)
			}
		}
	}
}

// FuzzPattern: no pattern and no name make a panic, and no name leads out of the folder
// or into that of another one.
func FuzzPattern(f *testing.F) {
	for _, pattern := range []string{"out/%06d.png", "{concept}/{instance}.%d", "{name}{{%%", "{pts}x{timecode}x{frame}", "%0999999999d"} {
		for _, name := range []string{"dog", "..", "../../etc/passwd", "a/b", "CON", "\x00", ""} {
			f.Add(pattern, name, int64(7))
		}
	}
	f.Fuzz(func(t *testing.T, pattern, name string, n int64) {
		p, err := Parse(pattern)
		if err != nil {
			return
		}
		if again, err := Parse(p.String()); err != nil || again.String() != p.String() {
			t.Fatalf("%q is written as %q: %v", pattern, p, err)
		}
		_ = p.Check()
		_, rest, err := p.Cut()
		if err != nil {
			return
		}
		file := rest.Fill(Name, name).Fill(Concept, name).Fill(Instance, name).File(Time{n, n, name})
		if file == "" || path.Clean(file) != file || !filepath.IsLocal(filepath.FromSlash(file)) && !strings.ContainsAny(rest.shape(), `:\`) {
			t.Fatalf("%q with %q names %q", pattern, name, file)
		}
		if strings.Count(file, "/") != strings.Count(rest.shape(), "/") {
			t.Fatalf("%q with %q has folders of its own: %q", pattern, name, file)
		}
	})
}
