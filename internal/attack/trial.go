//go:build linux

package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// A trial is one attack on carve. The same seed and name always make the same one.
type trial struct {
	kind   string // its row in the report
	group  string // the format, file or case that is attacked
	number int    // number within the group

	// arrange prepares the folder of the run, and returns what to run.
	arrange func(l *lab) (*experiment, error)
}

func (t *trial) name() string { return fmt.Sprintf("%s/%s/%d", t.kind, t.group, t.number) }

// chosen tells whether -only, the beginning of a name, selects this trial.
func (t *trial) chosen(only string) bool {
	name := t.name()
	return only == "" || name == only || strings.HasPrefix(name, strings.TrimSuffix(only, "/")+"/")
}

// random returns the trial's own random numbers.
func (t *trial) random(seed uint64) *rand.Rand {
	h := fnv.New64a()
	io.WriteString(h, t.name())
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// A lab is the folder of one trial.
type lab struct {
	bench *bench
	root  string // holds work, home, tmp and cache
	*rand.Rand

	// undo is called when the trial is over.
	undo []func()
}

// The parts of a lab. A run starts in work; home, tmp and cache are its HOME, TMPDIR
// and CARVE_CACHE.
const (
	workDir  = "work"
	homeDir  = "home"
	tmpDir   = "tmp"
	cacheDir = "cache"
)

func newLab(b *bench, root string, r *rand.Rand) (*lab, error) {
	for _, dir := range []string{workDir, homeDir, tmpDir, cacheDir} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return nil, err
		}
	}
	return &lab{bench: b, root: root, Rand: r}, nil
}

// path returns the path of a file in the folder in which the run starts.
func (l *lab) path(name string) string { return filepath.Join(l.root, workDir, name) }

func (l *lab) write(name string, data []byte) error {
	path := l.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// environment is the environment of a run: where ONNX Runtime is, and nothing else that
// the user has set.
func (l *lab) environment() []string {
	env := append([]string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8",
		"HOME=" + filepath.Join(l.root, homeDir),
		"TMPDIR=" + filepath.Join(l.root, tmpDir),
		"CARVE_CACHE=" + filepath.Join(l.root, cacheDir),
	}, l.bench.env...)
	for _, name := range []string{"CARVE_ONNXRUNTIME", "CARVE_BUILD_ONNXRUNTIME"} {
		if lib := os.Getenv(name); lib != "" {
			return append(env, "CARVE_ONNXRUNTIME="+lib)
		}
	}
	return env
}

// An experiment is what a trial runs, and its expected outcome.
type experiment struct {
	about string   // what is hostile about it, for the report
	args  []string // of carve

	output       string   // the output in work; empty if none
	extraOutputs []string // other files that it is told to write; a folder's name ends in a slash
	media        bool     // the output is decoded
	replaces     []string // files of the user that it is told to replace
	codes        []int    // the only correct exit codes; none: all documented ones
	stdout       int      // lines to read before the reader goes away; 0: all
	closed       bool     // stderr has no reader
	nohup        bool     // SIGHUP is ignored from the start

	sent []syscall.Signal // signals sent: one of them may end the run

	// during is called as soon as the run has started, and is waited for.
	during func(ctx context.Context, p *process)

	// killed says that the run ends by SIGKILL: its temporary files stay.
	killed bool

	// judge makes the checks that are specific to this trial.
	judge func(ctx context.Context, l *lab, o *outcome) []finding
}
