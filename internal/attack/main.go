//go:build linux

// Attack feeds carve hostile inputs, and counts what it does wrong.
//
//	make attack
//
// The inputs are damaged media, hostile models and texts, outputs that lead to the
// user's own files, and signals at any moment. Each trial is one run of the built
// program in its own folder, under limits of time and memory, with every socket refused
// and counted. The report says how many inputs were tried, and in how many of them
// carve crashed, hung, lost data without saying so, left files behind, opened a socket,
// or did something else wrong. All of these must be zero. The exit code is then 0,
// unless a trial could not be made or the campaign was interrupted.
//
// Trials are random with a seed: the same seed makes the same trials. Each has a name,
// such as media/anim.gif/17, with which -only repeats it.
//
// It needs Linux 5.9 for watching sockets, and FFmpeg's programs.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 4 && os.Args[1] == confineVerb {
		fmt.Fprintln(os.Stderr, "attack: error:", confine(os.Args[2:]))
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	clean, err := attack(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "attack: error:", err)
		os.Exit(2)
	}
	if !clean {
		os.Exit(1)
	}
}

// kinds are the kinds of attacks, in order.
var kinds = []struct {
	name   string
	trials func(ctx context.Context, b *bench, share float64) ([]*trial, error)
}{
	{"texts", textTrials},
	{"models", modelTrials},
	{"paths", pathTrials},
	{"signals", signalTrials},
	{"cases", caseTrials},
	{"media", mediaTrials},
}

// attack runs the command line, and tells whether there were no findings.
func attack(ctx context.Context, args []string, stdout, stderr io.Writer) (clean bool, err error) {
	b := &bench{report: newReport(), log: func(line string) { fmt.Fprintln(stderr, line) }}
	fs := flag.NewFlagSet("attack", flag.ContinueOnError)
	fs.SetOutput(stderr)
	share := fs.Float64("n", 1, "share of the campaign: 0.1 tries a tenth of it, 2 twice as many mutants")
	fs.StringVar(&b.only, "only", "", "what to try: a kind (texts, models, paths, signals, cases, media), or the beginning of a trial's name")
	fs.Uint64Var(&b.seed, "seed", 1, "what chance is drawn from")
	fs.StringVar(&b.keep, "keep", "", "folder to keep what was found in: inputs, messages, findings.txt")
	fs.IntVar(&b.jobs, "j", defaultJobs(), "trials at once")
	fs.StringVar(&b.binary, "binary", "bin/carve", "the program to attack")
	fs.StringVar(&b.ffmpeg, "ffmpeg", "ffmpeg", "FFmpeg's program; ffprobe lies beside it")
	fs.DurationVar(&b.limits.time, "limit", 60*time.Second, "time after which a run hangs")
	fs.Func("env", "NAME=VALUE that every run is to find in its environment (repeatable)", func(s string) error {
		b.env = append(b.env, s)
		return nil
	})
	memory := fs.Int64("memory", 1000, "megabytes that a run may fill")
	if err := fs.Parse(args); err != nil {
		return false, err
	}
	if b.jobs < 1 || *share <= 0 || *memory < 1 {
		return false, fmt.Errorf("-j, -n and -memory are to be above 0")
	}
	b.limits.memory = *memory << 20
	debug.SetMemoryLimit(b.limits.memory / 4) // see outcome.ended
	b.limits.space = 4 * b.limits.memory      // a Go program reserves far more than it uses
	if err := b.initialize(); err != nil {
		return false, err
	}
	defer os.RemoveAll(b.dir)

	began := time.Now()
	for _, k := range kinds {
		if !b.wants(k.name) || ctx.Err() != nil {
			continue
		}
		trials, err := k.trials(ctx, b, *share)
		if err != nil && ctx.Err() == nil {
			return false, fmt.Errorf("preparing to attack %s: %w", k.name, err)
		}
		var chosen []*trial
		for _, t := range trials {
			if t.chosen(b.only) {
				chosen = append(chosen, t)
			}
		}
		b.run(ctx, chosen)
	}
	b.report.print(stdout)
	if n := b.silentlyMissing.Load(); n > 0 {
		fmt.Fprintf(stdout, "%d mutants are shorter than the sound file, and nothing in them says so\n", n)
	}
	if n := b.lossUnconfirmed.Load(); n > 0 {
		fmt.Fprintf(stdout, "%d mutants were said to have lost something, and FFmpeg reads all their frames without a word\n", n)
	}
	if ctx.Err() != nil {
		fmt.Fprint(stdout, "interrupted; ")
	}
	fmt.Fprintf(stdout, "seed %d, %v\n", b.seed, time.Since(began).Round(time.Second))
	return b.report.clean() && ctx.Err() == nil, nil
}

// initialize finds the programs and makes the folders.
func (b *bench) initialize() (err error) {
	for _, p := range []*string{&b.binary, &b.ffmpeg} {
		path, err := exec.LookPath(*p)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return err
		}
		*p = path
	}
	b.ffprobe = filepath.Join(filepath.Dir(b.ffmpeg), "ffprobe")
	if b.keep != "" {
		if b.keep, err = filepath.Abs(b.keep); err != nil {
			return err
		}
		if err := os.MkdirAll(b.keep, 0o755); err != nil {
			return err
		}
		// Findings are renamed into keep, so both must be on one file system.
		b.dir, err = os.MkdirTemp(b.keep, ".running-*")
		return err
	}
	b.dir, err = os.MkdirTemp("", "carve-attack-*")
	return err
}
