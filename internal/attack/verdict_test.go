//go:build linux

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// The comparison of two folders finds what is new, gone or different.
func TestSnapshot(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("same", "a")
	put("changes", "a")
	put("goes", "a")
	put("modes", "a")
	if err := os.Symlink("same", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	before, err := takeSnapshot(dir)
	if err != nil {
		t.Fatal(err)
	}
	put("changes", "b")
	put("new", "a")
	os.Remove(filepath.Join(dir, "goes"))
	os.Chmod(filepath.Join(dir, "modes"), 0o600)
	os.Remove(filepath.Join(dir, "link"))
	put("link", "a")
	after, err := takeSnapshot(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := before.added(after); !slices.Equal(got, []string{"new"}) {
		t.Errorf("added: %q", got)
	}
	if got := before.changed(after); !slices.Equal(got, []string{"changes", "goes", "link", "modes"}) {
		t.Errorf("changed: %q", got)
	}
}

func TestVerdict(t *testing.T) {
	file := entry{mode: 0o644, size: 1}
	other := entry{mode: 0o644, size: 2}
	out := "work/out.mp4"
	fine := &reading{frames: 12}
	writes := experiment{output: "out.mp4", media: true}
	for name, c := range map[string]struct {
		x    experiment
		o    outcome
		want []string
	}{
		"done":                       {writes, outcome{after: snapshot{out: file}, output: fine}, nil},
		"done and nothing written":   {writes, outcome{}, []string{"leftovers: exit code 0 and no output"}},
		"failed":                     {writes, outcome{code: 1, stderr: []byte("carve: error: no\n")}, nil},
		"failed beside an output":    {writes, outcome{code: 1, stderr: []byte("carve: error: no\n"), after: snapshot{out: file}, output: fine}, []string{`leftovers: exit code 1 beside the output "out.mp4"`}},
		"failed and an old output":   {writes, outcome{code: 1, stderr: []byte("carve: error: no\n"), before: snapshot{out: file}, after: snapshot{out: file}, output: &reading{}}, nil},
		"failed and destroyed":       {writes, outcome{code: 1, stderr: []byte("carve: error: no\n"), before: snapshot{out: file}, after: snapshot{out: other}, output: fine}, []string{"other: exit code 1, and what was under the name of the output is no longer"}},
		"failed without a word":      {writes, outcome{code: 1}, []string{`crashes: exit code 1 without a line of kind "error" on stderr`}},
		"lost without a word":        {writes, outcome{code: 3, after: snapshot{out: file}, output: fine}, []string{`crashes: exit code 3 without a line of kind "warning" on stderr`}},
		"unreadable":                 {writes, outcome{after: snapshot{out: file}, output: &reading{all: []string{"no"}}}, []string{"leftovers: nothing can be decoded from the output: no"}},
		"damaged sound, told":        {writes, outcome{code: 3, stderr: []byte("carve: warning: lost\n"), after: snapshot{out: file}, output: &reading{frames: 1, all: []string{"no"}}}, nil},
		"damaged picture, told":      {writes, outcome{code: 3, stderr: []byte("carve: warning: lost\n"), after: snapshot{out: file}, output: &reading{frames: 1, decoder: []string{"no"}}}, []string{"leftovers: the output is damaged: no"}},
		"damaged output":             {writes, outcome{after: snapshot{out: file}, output: &reading{frames: 1, all: []string{"no"}}}, []string{"leftovers: the output is damaged: no"}},
		"interrupted with an output": {writes, outcome{code: 130, after: snapshot{out: file}, output: fine}, nil},
		"unknown code":               {experiment{}, outcome{code: 7}, []string{"crashes: exit code 7, which is none that is documented"}},
		"another code than right":    {experiment{codes: []int{1, 2}}, outcome{code: 0}, []string{"other: exit code 0; right is one of [1 2]"}},
		"a title":                    {experiment{}, outcome{stdout: []byte("\x1b]0;x")}, []string{"other: stdout has the control character U+001B"}},
		"a C1 control":               {experiment{}, outcome{stderr: []byte("\xc2\x9b")}, []string{"other: stderr has the control character U+009B"}},
		"a bare high byte":           {experiment{}, outcome{stderr: []byte("\x9b")}, []string{"other: stderr has the control character U+009B"}},
		"other letters":              {experiment{}, outcome{stdout: []byte("собака\t犬\n")}, nil},
		"not all JSON": {experiment{args: []string{"--log-format=json"}}, outcome{stderr: []byte("{}\nx264 [error]: no\n")},
			[]string{`other: with --log-format json stderr has "x264 [error]: no"`}},
		"an error in JSON": {experiment{args: []string{"--log-format=json"}}, outcome{code: 1, stderr: []byte(`{"message_type":"error"}` + "\n")}, nil},
		"told to write": {experiment{output: "d/out.mp4", extraOutputs: []string{"films/"}}, outcome{after: snapshot{"work/d": {mode: fs.ModeDir}, "work/d/out.mp4": file,
			"work/films": {mode: fs.ModeDir}, "work/films/a/b": file, "cache/graphs": file}}, nil},
		"told to replace":           {experiment{replaces: []string{"l"}}, outcome{before: snapshot{"work/l": file}, after: snapshot{"work/l": other}}, nil},
		"the user's is gone":        {experiment{}, outcome{before: snapshot{"work/l": file}}, []string{`other: the user's "l" was removed`}},
		"remains of a killed run":   {experiment{killed: true}, outcome{signal: 9, after: snapshot{"work/.out.part-1.mp4": file, "tmp/x": file}}, []string{"crashes: ended by killed"}},
		"killed as it was meant to": {experiment{killed: true, sent: sigkill}, outcome{signal: 9, after: snapshot{"work/.out.part-1.mp4": file, "work/x": file}}, []string{`leftovers: left ["work/x"] behind`}},
	} {
		if c.o.before == nil {
			c.o.before = snapshot{}
		}
		var got []string
		for _, f := range verdict(&c.x, &c.o, limits{memory: 1}) {
			got = append(got, fmt.Sprintf("%v: %s", f.class, f.text))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: found %q, want %q", name, got, c.want)
		}
	}
}

var sigkill = []syscall.Signal{syscall.SIGKILL}
