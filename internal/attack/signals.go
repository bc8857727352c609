//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A disturbance happens to carve in the middle of its work.
type disturbance struct {
	name  string
	times int // number of trials
	set   func(l *lab, x *experiment)

	// whole says that the run must complete all the same.
	whole bool
}

const longFrames = 240

// patience is how long carve may take to end after a signal. Documented are two
// seconds, but other trials run at the same time.
const patience = 5 * time.Second

var disturbances = []disturbance{
	{"interrupt", 10, sent(syscall.SIGINT), false},
	{"terminate", 6, sent(syscall.SIGTERM), false},
	{"hangup", 8, sent(syscall.SIGHUP), false},
	{"interrupt-twice", 6, sent(syscall.SIGINT, syscall.SIGINT), false},
	{"hangup-and-interrupt", 3, sent(syscall.SIGHUP, syscall.SIGINT), false},
	{"hangup-under-nohup", 2, func(l *lab, x *experiment) {
		x.nohup = true
		sent(syscall.SIGHUP)(l, x)
	}, true},
	{"kill", 10, killed, false},
	{"progress-without-reader", 2, func(_ *lab, x *experiment) {
		x.args = append(x.args, "--progress", "json")
		x.stdout = 1
	}, true},
	{"messages-without-reader", 2, func(_ *lab, x *experiment) {
		x.args = append(x.args, "-v")
		x.closed = true
	}, true},
	{"endless-refinement", 2, func(l *lab, x *experiment) {
		x.args = append(x.args, "--preset", "endless.yaml", "--max-side", "320")
		sent(syscall.SIGINT, syscall.SIGINT)(l, x)
	}, false},
}

// endless is a preset with the maximal refinement: many seconds for every frame.
const endless = "base: stickers\npresence: 0\ntheta: 0\ncrf: {iterations: 1000, gaussian_sxy: 3, gaussian_compat: 3, bilateral_sxy: 60, bilateral_srgb: 5, bilateral_compat: 10}\n"

// sent sends signals, the first at a random moment and the others soon after it. In
// every second trial the first waits until the output has been begun, which takes long
// on a busy machine.
func sent(signals ...syscall.Signal) func(*lab, *experiment) {
	return func(l *lab, x *experiment) {
		wait := time.Duration(l.Int64N(int64(2 * time.Second)))
		begun := l.IntN(2) == 0
		var gaps []time.Duration
		for range signals {
			gaps = append(gaps, time.Duration(l.Int64N(int64(300*time.Millisecond))))
		}
		x.about = fmt.Sprintf("%v after %v", signals, wait.Round(time.Millisecond))
		if begun {
			x.about += " of work"
		}
		x.sent = signals
		x.during = func(ctx context.Context, p *process) {
			for begun && !hasPart(l.path("")) && !p.over(ctx) {
				p.wait(ctx, 10*time.Millisecond)
			}
			p.wait(ctx, wait)
			for i, s := range signals {
				p.signal(s)
				p.wait(ctx, gaps[i])
			}
		}
	}
}

// hasPart tells whether an unfinished output is in a folder.
func hasPart(dir string) bool {
	entries, _ := os.ReadDir(dir) // the folder exists
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool { return temporary.MatchString(e.Name()) })
}

// killed ends the run by SIGKILL. The next run into the folder must name the files
// left.
func killed(l *lab, x *experiment) {
	sent(syscall.SIGKILL)(l, x)
	x.killed = true
	again := cheapest("in.mp4", "again.mp4")
	x.judge = func(ctx context.Context, l *lab, o *outcome) (all []finding) {
		var remains []string
		for _, name := range o.before.added(o.after) {
			if place, rest, _ := strings.Cut(name, "/"); place == workDir && !x.isOutput(rest) {
				remains = append(remains, rest)
			}
		}
		if len(remains) == 0 || o.signal != syscall.SIGKILL {
			return nil
		}
		next := &experiment{args: again, output: "again.mp4", media: true, codes: []int{exitDone}}
		o2, err := l.observe(ctx, next)
		if err != nil {
			return []finding{newFinding(other, "the next run could not be made: %v", err)}
		}
		all = verdict(next, o2, l.bench.limits)
		for _, name := range remains {
			if !strings.Contains(string(o2.stderr), filepath.Base(name)) {
				all = append(all, newFinding(other, "the next run says nothing of %q, which a killed one left", name))
			}
		}
		return all
	}
}

func signalTrials(ctx context.Context, b *bench, share float64) ([]*trial, error) {
	clip, err := b.makeSound(ctx, format{"signals.mp4", longFrames, "-vf scale=320:-2,loop=19:12:0,setpts=N/12/TB -map 0:v -c:v libx264 -preset ultrafast"})
	if err != nil {
		return nil, err
	}
	var all []*trial
	for _, d := range disturbances {
		for n := range scaled(d.times, share) {
			all = append(all, &trial{"signals", d.name, n, func(l *lab) (*experiment, error) { return d.disturb(l, clip.data) }})
		}
	}
	return all, nil
}

func (d *disturbance) disturb(l *lab, clip []byte) (*experiment, error) {
	for name, data := range map[string][]byte{"in.mp4": clip, "endless.yaml": []byte(endless)} {
		if err := l.write(name, data); err != nil {
			return nil, err
		}
	}
	x := &experiment{about: d.name, output: "out.mp4", media: true}
	x.args = cheapest("in.mp4", "out.mp4")
	d.set(l, x)
	next := x.judge
	x.judge = func(ctx context.Context, l *lab, o *outcome) (all []finding) {
		if next != nil {
			all = next(ctx, l, o)
		}
		return append(all, d.judge(o)...)
	}
	return x, nil
}

func (d *disturbance) judge(o *outcome) (all []finding) {
	if o.endedAfter > patience && !d.whole {
		all = append(all, newFinding(hang, "went on for %.1f s when it was told to stop", o.endedAfter.Seconds()))
	}
	complete := o.output != nil && o.output.frames == longFrames
	switch {
	case d.whole && (o.code != exitDone || !complete):
		all = append(all, newFinding(loss, "ended with exit code %d, signal %d, before all was done", o.code, o.signal))
	case o.signal == 0 && o.code == exitDone && !complete:
		all = append(all, newFinding(loss, "exit code 0, and not all frames"))
	case o.signal == 0 && o.code != exitDone && o.code != exitInterrupted:
		all = append(all, newFinding(other, "exit code %d; right is 130", o.code))
	}
	return all
}
