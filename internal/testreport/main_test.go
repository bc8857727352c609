package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carve-video/carve/internal/golden"
)

// module has a passing, a skipped, a failing and a broken package.
var module = map[string]string{
	"go.mod": "module m\n\ngo 1.26\n",
	"a/a_test.go": `package a

import "testing"

func TestPasses(t *testing.T) { t.Log("nobody asked") }
func TestNeeds(t *testing.T)  { t.Skip("` + golden.Missing + `: no such folder") }
func TestSlow(t *testing.T) {
	t.Run("part", func(t *testing.T) {
		if testing.Short() {
			t.Skip("takes seconds")
		}
	})
	t.Run("device", func(t *testing.T) { t.Skip("no device: 100%") })
}
`,
	"b/b_test.go": `package b

import "testing"

func TestFails(t *testing.T) {
	t.Log("the reason")
	t.Run("part", func(t *testing.T) { t.Error("of this part") })
}
func TestPasses(t *testing.T) { t.Log("nobody asked") }
`,
	"c/c_test.go": `package c

import "testing"

func TestCrashes(t *testing.T) {
	t.Log("before the crash")
	panic("crash")
}
`,
	"d/d.go": "package d\n\nvar d = undefined\n",
	"d/d_test.go": `package d
`,
}

// goTest runs the packages of the module, and returns the exit code and the output.
func goTest(t *testing.T, record string, args ...string) (int, string) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	real := os.Stdout
	os.Stdout = out
	code, err := test(record, args)
	os.Stdout = real
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return code, string(text)
}

func TestReport(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := t.TempDir()
	for name, text := range module {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("GOFLAGS", "")
	record := filepath.Join(dir, "record")

	code, out := goTest(t, record, "-short", "./a")
	if lines := strings.Count(out, "\n"); code != 0 || lines != 1 || !strings.HasPrefix(out, "ok  \tm/a\t") {
		t.Errorf("a package that passes: exit code %d, want 0; printed %q, want its line alone", code, out)
	}
	if got, want := summary(t, record), "3 tests were skipped, 1 for want of ../shared\n    1: takes seconds\n    1: no device: 100%\n"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}

	// A test counts as skipped only if every run skips it.
	code, out = goTest(t, record, "./...")
	if code != 1 {
		t.Errorf("exit code %d, want that of go test, 1", code)
	}
	for _, want := range []string{
		"ok  \tm/a\t", "FAIL\tm/b\t", "--- FAIL: TestFails", "the reason", "of this part",
		"FAIL\tm/c\t", "before the crash", "panic: crash", "undefined: undefined", "FAIL\tm/d [build failed]",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	if strings.Contains(out, "nobody asked") || strings.Contains(out, "=== RUN") || strings.Contains(out, `"Action"`) {
		t.Error("the output has more than that of go test")
	}
	if t.Failed() {
		t.Log(out)
	}
	if got, want := summary(t, record), "2 tests were skipped, 1 for want of ../shared\n    1: no device: 100%\n"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}

func summary(t *testing.T, record string) string {
	t.Helper()
	var out strings.Builder
	if err := summarize(record, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestNoneSkipped(t *testing.T) {
	if got := report(0, 0, nil); got != "no test was skipped\n" {
		t.Errorf("%q", got)
	}
	if got := report(1, 0, map[string]int{"why": 1}); got != "1 test was skipped, 0 for want of ../shared\n    1: why\n" {
		t.Errorf("%q", got)
	}
}

func TestStillRunning(t *testing.T) {
	var out strings.Builder
	p := newPrinter(&out)
	p.stillRunning(time.Hour)
	if out.Len() > 0 {
		t.Errorf("after no time: %q", out.String())
	}
	p.stillRunning(0)
	p.line([]byte(`{"Action":"run","Package":"m","Test":"TestA"}`))
	p.line([]byte(`{"Action":"run","Package":"m","Test":"TestA/part"}`))
	p.stillRunning(0)
	if got, want := out.String(), "… compiling (0s so far)\n… running TestA/part and 1 more (0s so far)\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
