//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

func TestChosen(t *testing.T) {
	tr := &trial{kind: "media", group: "anim.gif", number: 1}
	for only, want := range map[string]bool{
		"": true, "media": true, "media/": true, "media/anim.gif": true, "media/anim.gif/1": true,
		"med": false, "media/anim.gif/12": false, "media/anim": false, "texts": false,
	} {
		if got := tr.chosen(only); got != want {
			t.Errorf("-only %q chooses %s: %v", only, tr.name(), got)
		}
		if b := (&bench{only: strings.TrimSuffix(only, "/")}); want && !(b.wants("media") && b.wants("media/anim.gif")) {
			t.Errorf("-only %q does not prepare it", only)
		}
	}
	if (&bench{only: "media/anim.gif/1"}).wants("media/still.png") {
		t.Error("another format is prepared")
	}
}

// The campaign has the documented size, and every trial has a name of its own.
func TestSizes(t *testing.T) {
	b := &bench{log: func(s string) { t.Log(s) }}
	models, err := modelTrials(t.Context(), b, 1)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := textTrials(t.Context(), b, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(models) < 150 || len(texts) < 300 {
		t.Errorf("%d models, %d texts", len(models), len(texts))
	}
	seen := map[string]bool{}
	for _, tr := range append(models, texts...) {
		if seen[tr.name()] {
			t.Errorf("%s is there twice", tr.name())
		}
		seen[tr.name()] = true
	}
	if n := len(every(texts, 0.1)); n < len(texts)/10-1 || n > len(texts)/10+1 {
		t.Errorf("a tenth of %d is %d", len(texts), n)
	}
}

func TestReport(t *testing.T) {
	r := newReport()
	if r.clean() {
		t.Error("nothing was tried, and all is well")
	}
	r.skip("paths")
	if r.clean() {
		t.Error("nothing could be tried, and all is well")
	}
	tr := &trial{kind: "media"}
	r.enter(tr, &outcome{took: time.Second}, nil)
	if !r.clean() {
		t.Error("nothing was found, and something is wrong")
	}
	r.enter(tr, &outcome{code: 1, took: time.Second}, []finding{newFinding(hang, "a"), newFinding(hang, "b"), newFinding(loss, "c")})
	var b strings.Builder
	r.print(&b)
	if r.clean() {
		t.Error("something was found, and all is well")
	}
	for _, want := range []string{
		"kind inputs tried crashes hangs quiet losses leftovers sockets other not tried s a run most MB exit codes",
		"media 2 0 1 1 0 0 0 0 1.00 0 1×0 1×1",
		"paths 0 0 0 0 0 0 0 1 0.00 0",
		"all 2 0 1 1 0 0 0 1 1.00 0 1×0 1×1",
	} {
		if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

// A trial that could not be made counts as failed, not as impossible on this machine:
// without it the zeros prove nothing.
func TestFailed(t *testing.T) {
	r := newReport()
	r.enter(&trial{kind: "media"}, &outcome{}, nil)
	r.skip("media")
	if !r.clean() {
		t.Error("what cannot be tried on this machine counts as a finding")
	}
	r.fail("media")
	if r.clean() {
		t.Error("a trial failed to be made, and all is well")
	}
}

func TestCommandLine(t *testing.T) {
	if got, want := commandLine("carve", []string{"-q", "red frisbee", "it's", "\x1b[2J\n'", "", "-"}), `carve -q 'red frisbee' 'it'\''s' $'\x1b[2J\x0a\'' '' -`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
