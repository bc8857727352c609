//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// limits bound a run of carve.
type limits struct {
	time   time.Duration
	memory int64 // bytes that it may use: more is a finding
	space  int64 // bytes that it may reserve: more is refused by the kernel
}

// A bench has what all trials share.
type bench struct {
	binary, ffmpeg, ffprobe string

	dir    string // for all files of the trials; removed at the end
	keep   string // folder for trials with findings; if empty, none is kept
	seed   uint64
	only   string
	env    []string // extra environment of every run
	jobs   int
	limits limits

	mu     sync.Mutex
	log    func(string) // one line
	report *report

	// silentlyMissing counts runs that wrote fewer frames than the sound file has,
	// although neither FFmpeg nor the file says that any are missing.
	silentlyMissing atomic.Int64

	// lossUnconfirmed counts runs that reported a loss although FFmpeg reads as many
	// frames as the sound file has, without a message. The loss may be in another
	// stream, or after the last frame.
	lossUnconfirmed atomic.Int64
}

func (b *bench) say(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log("attack: " + fmt.Sprintf(format, args...))
}

// wants tells whether trials whose names begin with prefix are to be run.
func (b *bench) wants(prefix string) bool {
	return b.only == "" || strings.HasPrefix(b.only+"/", prefix+"/") || strings.HasPrefix(prefix+"/", b.only+"/")
}

// scaled is a share of a number, but at least 1.
func scaled(n int, share float64) int { return max(int(math.Round(float64(n)*share)), 1) }

// every returns a share of the trials, evenly spread.
func every(all []*trial, share float64) []*trial {
	if share >= 1 {
		return all
	}
	var some []*trial
	for i, t := range all {
		if int(float64(i+1)*share) > int(float64(i)*share) {
			some = append(some, t)
		}
	}
	return some
}

// run makes the trials, several at once, until all are done or the context ends.
func (b *bench) run(ctx context.Context, trials []*trial) {
	queue := make(chan *trial) // the loop below sends, the workers receive
	var workers sync.WaitGroup
	for range b.jobs {
		workers.Go(func() {
			for t := range queue {
				b.try(ctx, t)
			}
		})
	}
	shown := time.Now()
	for i, t := range trials {
		if time.Since(shown) > 20*time.Second {
			shown = time.Now()
			b.say("%d of %d tried, at %s", i, len(trials), t.name())
		}
		select {
		case queue <- t:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	workers.Wait()
}

// errSkip says that a trial is not possible on this machine.
var errSkip = errors.New("not possible here")

// try makes one trial and reports its findings.
func (b *bench) try(ctx context.Context, t *trial) {
	root := filepath.Join(b.dir, strings.ReplaceAll(t.name(), "/", "_"))
	l, err := newLab(b, root, t.random(b.seed))
	if err == nil {
		err = b.runTrial(ctx, t, l)
	}
	if err != nil && ctx.Err() == nil {
		b.say("%s could not be tried: %v", t.name(), err)
		if errors.Is(err, errSkip) {
			b.report.skip(t.kind)
		} else {
			b.report.fail(t.kind)
		}
	}
	if l != nil {
		for _, undo := range l.undo {
			undo()
		}
	}
	discard(root)
}

func (b *bench) runTrial(ctx context.Context, t *trial, l *lab) error {
	x, err := t.arrange(l)
	if err != nil {
		return err
	}
	o, err := l.observe(ctx, x)
	if err != nil {
		return err
	}
	findings := verdict(x, o, b.limits)
	if x.judge != nil {
		findings = append(findings, x.judge(ctx, l, o)...)
	}
	if ctx.Err() != nil { // an interrupted run proves nothing
		return nil
	}
	b.report.enter(t, o, findings)
	if len(findings) > 0 {
		for _, f := range findings {
			b.say("%s: %v: %s", t.name(), f.class, f.text)
		}
		return b.save(t, l, x, o, findings)
	}
	return nil
}

// observe runs carve and collects everything that the verdict needs.
func (l *lab) observe(ctx context.Context, x *experiment) (*outcome, error) {
	before, err := takeSnapshot(l.root)
	if err != nil {
		return nil, err
	}
	o, err := l.run(ctx, x)
	if err != nil {
		return nil, err
	}
	o.before = before
	if o.after, err = takeSnapshot(l.root); err != nil {
		return nil, err
	}
	if e, ok := o.after[filepath.Join(workDir, x.output)]; ok && x.media && x.output != "" && e.mode.IsRegular() {
		if o.output, err = l.bench.read(ctx, l.path(x.output)); err != nil {
			l.bench.say("%v", err)
			o.output = &reading{all: []string{err.Error()}}
		}
	}
	return o, nil
}

// discard removes a lab, including folders without write permission.
func discard(root string) {
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			os.Chmod(path, 0o755)
		}
		return nil
	})
	os.RemoveAll(root)
}

// defaultJobs is the number of cores.
func defaultJobs() int { return runtime.NumCPU() }
