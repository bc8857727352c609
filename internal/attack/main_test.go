//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary stand in for carve. The environment says what it should
// do wrong.
func TestMain(m *testing.M) {
	if len(os.Args) > 4 && os.Args[1] == confineVerb {
		fmt.Fprintln(os.Stderr, "attack: error:", confine(os.Args[2:]))
		os.Exit(1)
	}
	if as := os.Getenv("ATTACK_TEST"); as != "" {
		os.Exit(misbehave(as))
	}
	os.Exit(m.Run())
}

func misbehave(as string) int {
	switch as {
	case "well":
		fmt.Println("done")
	case "panic":
		panic("a mistake")
	case "killed":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "hang":
		time.Sleep(time.Hour)
	case "socket":
		if c, err := net.Dial("udp", "127.0.0.1:9"); err == nil {
			c.Close()
			return 4
		}
	case "memory":
		b := make([]byte, 128<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
	case "space":
		b := make([]byte, 64<<30)
		return int(b[len(b)-1])
	case "leftover":
		for _, path := range []string{"x.part", filepath.Join(os.TempDir(), "t"), filepath.Join(os.Getenv("HOME"), ".x", "y"), filepath.Join(os.Getenv("CARVE_CACHE"), ".new-1")} {
			os.MkdirAll(filepath.Dir(path), 0o755)
			os.WriteFile(path, nil, 0o644)
		}
		os.WriteFile("user.txt", []byte("changed"), 0o644)
	case "deaf":
		for range 1000 {
			if _, err := fmt.Println(strings.Repeat("x", 1000)); err != nil {
				fmt.Fprintln(os.Stderr, "carve: error: nobody listens")
				return 1
			}
		}
	case "obedient":
		time.Sleep(time.Hour)
	}
	return 0
}

func newTestLab(t *testing.T, as string) *lab {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{binary: self, env: []string{"ATTACK_TEST=" + as}, limits: limits{time: 5 * time.Second, memory: 100 << 20, space: 4 << 30},
		log: func(s string) { t.Log(s) }, report: newReport()}
	if raceDetector {
		b.limits.space, b.limits.memory = math.MaxInt64, 1<<30
	}
	l, err := newLab(b, t.TempDir(), (&trial{}).random(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.write("user.txt", []byte("mine")); err != nil {
		t.Fatal(err)
	}
	return l
}

// confined fails the test if a run could not be made. It skips it where the kernel, or
// the sandbox of the tests, cannot watch sockets.
func confined(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), "having sockets watched") && os.Getenv("CI") != "true" {
		t.Skipf("%v: this needs Linux 5.9, and no sandbox that forbids seccomp's user notification", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Every misbehaviour is found as what it is, and a correct run has no findings.
func TestRuns(t *testing.T) {
	for as, want := range map[string][]string{
		"well":     nil,
		"panic":    {"crashes: stderr has the dump", "crashes: exit code 2 without a line"},
		"killed":   {"crashes: ended by killed"},
		"hang":     {"hangs: still running"},
		"socket":   {"sockets: opened inet dgram"},
		"memory":   {"other: took 1"},
		"space":    {"crashes: stderr has the dump of a crash: \"fatal error: ", "crashes: exit code 2"},
		"leftover": {`leftovers: left ["cache/.new-1" "home/.x" "tmp/t" "work/x.part"]`, `other: the user's "user.txt" was changed`},
	} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			l := newTestLab(t, as)
			if as == "hang" {
				l.bench.limits.time = 300 * time.Millisecond
			}
			if raceDetector && (as == "memory" || as == "space") {
				t.Skip("the race detector takes more than any limit: run without -race")
			}
			o, err := l.observe(t.Context(), &experiment{})
			confined(t, err)
			got := verdict(&experiment{}, o, l.bench.limits)
			for i, f := range got {
				if line := fmt.Sprintf("%v: %s", f.class, f.text); i >= len(want) || !strings.HasPrefix(line, want[i]) {
					t.Errorf("found %q", line)
				}
			}
			if len(got) != len(want) {
				t.Errorf("found %d, want %q", len(got), want)
			}
		})
	}
}

// A reader can go away after a line; signals reach the run.
func TestDisturbedRuns(t *testing.T) {
	l := newTestLab(t, "deaf")
	o, err := l.run(t.Context(), &experiment{stdout: 1})
	confined(t, err)
	// Go ends a program when its standard output is closed.
	if o.signal != syscall.SIGPIPE || bytes.Count(o.stdout, []byte("\n")) != 1 {
		t.Errorf("exit code %d, signal %v, %d bytes read", o.code, o.signal, len(o.stdout))
	}
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("these tests run under nohup, where a hang-up reaches nobody")
	}
	l = newTestLab(t, "obedient")
	x := &experiment{}
	sent(syscall.SIGHUP)(l, x)
	x.during = func(ctx context.Context, p *process) {
		p.wait(ctx, 200*time.Millisecond)
		p.signal(syscall.SIGHUP)
	}
	if o, err = l.run(t.Context(), x); err != nil || o.signal != syscall.SIGHUP || o.endedAfter <= 0 {
		t.Errorf("%+v, %v", o, err)
	}
	if all := checkEnd(x, o, l.bench.limits); len(all) > 0 {
		t.Errorf("ending by the signal that was sent: %v", all)
	}
	x.nohup, l.bench.limits.time = true, time.Second
	if o, err = l.run(t.Context(), x); err != nil || !o.late {
		t.Errorf("under nohup: %+v, %v", o, err)
	}
}

// Trials end at once when the context ends.
func TestInterrupted(t *testing.T) {
	l := newTestLab(t, "hang")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := l.run(ctx, &experiment{}); err == nil || time.Since(began) > 3*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
