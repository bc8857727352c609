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

// A trial is one hostile thing that is done to carve. The same seed and name
// always make the same one.
type trial struct {
	kind   string // what it is counted under
	group  string // the format, the file or the case that is attacked
	number int    // which of the group

	// arrange lays out what the run finds in its folder, and says what is run.
	arrange func(l *lab) (*experiment, error)
}

func (t *trial) name() string { return fmt.Sprintf("%s/%s/%d", t.kind, t.group, t.number) }

// chosen tells whether -only, the beginning of a name, means this trial.
func (t *trial) chosen(only string) bool {
	name := t.name()
	return only == "" || name == only || strings.HasPrefix(name, strings.TrimSuffix(only, "/")+"/")
}

// random is the trial's own source of chance.
func (t *trial) random(seed uint64) *rand.Rand {
	h := fnv.New64a()
	io.WriteString(h, t.name())
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// A lab is the folder that a trial has to itself.
type lab struct {
	bench *bench
	root  string // holds work, home, tmp and cache
	*rand.Rand

	// undo is done when the trial is over.
	undo []func()
}

// The parts of a lab. A run starts in work; home, tmp and cache are the HOME,
// TMPDIR and CARVE_CACHE that it sees.
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

// path is that of a file in the folder in which the run starts.
func (l *lab) path(name string) string { return filepath.Join(l.root, workDir, name) }

func (l *lab) write(name string, data []byte) error {
	path := l.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// environment is what a run is told of the machine: where ONNX Runtime is, and
// nothing else that a user may have set.
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

// An experiment is what a trial runs, and what may come of it.
type experiment struct {
	about string   // what is hostile about it, for the report
	args  []string // of carve

	output string   // the file that is asked for, in work; empty if there is none
	also   []string // other files that the command is told to write; a folder's name ends in a slash
	media  bool     // the output is to be decoded
	may    []string // files of the user that it is told to replace
	codes  []int    // the only exit codes that are right; none: all that are documented
	stdout int      // lines that are read before the reader goes away; 0: all
	closed bool     // stderr has no reader
	nohup  bool     // SIGHUP is ignored from the start

	sent []syscall.Signal // that are sent: one of them may end the run

	// during is called as soon as the run has started, and waited for.
	during func(ctx context.Context, p *process)

	// killed says that the run ends by SIGKILL: its temporary files stay.
	killed bool

	// judge finds what is special to this trial.
	judge func(ctx context.Context, l *lab, o *outcome) []finding
}
