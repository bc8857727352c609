package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"carve": main})
}

// needsRuntime skips a test if err says that there is no ONNX Runtime. With CI=true the
// test fails instead.
func needsRuntime(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, models.ErrNoRuntime) {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip("no ONNX Runtime: run with scripts/env.sh")
}

// TestScripts runs the program as users do: testdata/script/*.txt contain command lines,
// the output that they must print, and the files that must exist afterwards.
func TestScripts(t *testing.T) {
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/wrong/") {
			fmt.Fprint(w, "this is not the file that you are looking for")
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(mirror.Close)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Condition: func(name string) (bool, error) {
			if name == "hangup" { // SIGHUP is delivered; under nohup it is ignored
				return !signal.Ignored(syscall.SIGHUP), nil
			}
			return false, fmt.Errorf("there is no condition %q", name)
		},
		Setup: func(env *testscript.Env) error {
			// The scripts have their own folder and home: what they may use of the machine
			// is named here.
			for _, name := range []string{"CARVE_ONNXRUNTIME", "CARVE_BUILD_ONNXRUNTIME"} {
				if lib := os.Getenv(name); lib != "" {
					env.Setenv("CARVE_ONNXRUNTIME", lib)
					break
				}
			}
			env.Setenv("CARVE_CACHE", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("MIRROR", mirror.URL)
			// The demo model as a folder, and its weights alone.
			if err := os.CopyFS(filepath.Join(env.WorkDir, "demo-model"), demo.FS); err != nil {
				return err
			}
			weights, err := demo.FS.ReadFile("model.safetensors")
			if err != nil {
				return err
			}
			if err := os.Mkdir(filepath.Join(env.WorkDir, "alone"), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(env.WorkDir, "alone", "some.safetensors"), weights, 0o644); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "demo.mp4"), democlip.Clip, 0o644)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":     exits,
			"masks":     drawMasks,
			"benchjson": benchJSON,
			"none":      none,
		},
	})
}

// exits runs a program and checks its exit code: "exits 3 carve -i …". The output can be
// matched with stdout and stderr, as after exec.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("running %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exited with %d, want %d", args[1], got, want)
	}
}

// none checks that no file matches a pattern: "none $TMPDIR/carve-*".
func none(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: none PATTERN")
	}
	found, err := filepath.Glob(args[0])
	ts.Check(err)
	if len(found) > 0 {
		ts.Fatalf("left behind: %s", strings.Join(found, ", "))
	}
}
