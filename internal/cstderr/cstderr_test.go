//go:build (linux || darwin) && cgo

package cstderr

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Standard error belongs to a process, so each test runs another process, in which
// TestMain plays a part.
func TestMain(m *testing.M) {
	if part := os.Getenv("TEST_STDERR_PART"); part != "" {
		if part == "short" {
			short()
			return
		}
		play(part)
		return
	}
	os.Exit(m.Run())
}

// cPrints writes to descriptor 2 as a C library would.
func cPrints(text string) {
	if _, err := syscall.Write(2, []byte(text)); err != nil && !errors.Is(err, syscall.EAGAIN) {
		panic(err)
	}
}

func play(part string) {
	if err := Take(); err != nil {
		panic(err)
	}
	log := slog.New(slog.NewTextHandler(File(), &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	switch part {
	case "lines":
		cPrints("early\n")
		Flush()
		SetLog(log)
		cPrints("x265 [info]: one\n\x1b[1;31mx265 [error]: two\x1b[m\n\nwithout its end")
		Flush()
		fmt.Fprintln(File(), "own")
		cPrints(strings.Repeat("long ", 1000) + "\nlast")
	case "many":
		SetLog(log)
		for i := range maxLines + 7 {
			cPrints(fmt.Sprintln("line", i))
			Flush()
		}
	case "full":
		block := make(chan struct{})
		SetLog(slog.New(stuck{slog.DiscardHandler, block}))
		for range 1000 {
			cPrints(strings.Repeat("0123456789abcde\n", 64))
		}
		close(block)
		fmt.Fprintln(File(), "through")
	case "panic":
		go panic("a \x1b\"quoted\" one of rtsp://user:secret@host")
		time.Sleep(time.Minute)
	case "json":
		Form(true)
		go panic(`a "quoted" one`)
		time.Sleep(time.Minute)
	case "fatal":
		new(sync.Mutex).Unlock()
	case "stack":
		debug.SetMaxStack(1 << 20)
		deeper(make([]int, 1))
	case "memory":
		Flush() // it prints NUL
		fmt.Println(len(make([]byte, 1<<46)))
	case "thread":
		cPrints("runtime/cgo: pthread_create failed: Resource temporarily unavailable\n")
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		time.Sleep(time.Minute)
	case "abort":
		cPrints("free(): invalid pointer\n")
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		time.Sleep(time.Minute)
	}
	if err := Give(); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "given back")
}

//lint:ignore SA5007 the stack is to overflow
func deeper(p []int) int { return deeper(append(p, 1)) + p[0] }

// stuck is a log that blocks.
type stuck struct {
	slog.Handler
	until chan struct{}
}

func (h stuck) Enabled(context.Context, slog.Level) bool { return true }

func (h stuck) Handle(context.Context, slog.Record) error {
	<-h.until
	return nil
}

func (h stuck) WithAttrs([]slog.Attr) slog.Handler { return h }

func again(t *testing.T, part string, env ...string) (stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), "TEST_STDERR_PART="+part, "GORACE=atexit_sleep_ms=0", "GOTRACEBACK="), env...)
	var b bytes.Buffer
	cmd.Stderr = &b
	err = cmd.Run()
	return b.String(), err
}

func TestLines(t *testing.T) {
	got, err := again(t, "lines")
	want := `level=DEBUG msg="a library says: early"
level=DEBUG msg="a library says: x265 [info]: one"
level=WARN msg="a library says: x265 [error]: two"
level=DEBUG msg="a library says: without its end"
own
level=DEBUG msg="a library says: ` + strings.TrimSpace(strings.Repeat("long ", maxLine/5)) + `"
level=DEBUG msg="a library says: last"
given back
`
	if err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	got, err = again(t, "many")
	if n := strings.Count(got, "says: line"); err != nil || n != maxLines || !strings.Contains(got, "libraries printed 7 more lines") {
		t.Errorf("%v: %d lines of libraries, want %d, and that there are 7 more:\n%s", err, n, maxLines, got)
	}
}

// A library never blocks, even if the log does.
func TestFull(t *testing.T) {
	if got, err := again(t, "full"); err != nil || got != "through\ngiven back\n" {
		t.Errorf("%v: %s", err, got)
	}
}

// A crash is reported in one line, with exit code 1.
func TestCrash(t *testing.T) {
	const hint = "carve: hint: this is a fault of carve or of a library in it"
	for _, c := range []struct{ part, want string }{
		{"panic", "carve: error: internal error: panic: a ''quoted' one of rtsp...\n" + hint},
		{"json", `{"message_type":"error","message":"internal error: panic: a 'quoted' one","hint":"this is a fault`},
		{"fatal", "carve: error: internal error: fatal error: sync: unlock of unlocked mutex\n" + hint},
		{"stack", "carve: error: internal error: fatal error: stack overflow\n" + hint},
		{"memory", "carve: error: out of memory\ncarve: hint: close other programs"},
		{"thread", "carve: error: out of memory\n"},
		{"abort", "carve: error: internal error: SIGABRT: abort\n" + hint},
	} {
		got, err := again(t, c.part)
		if strings.Contains(got, "-race mode") {
			continue // the race detector has limits of its own
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s ends with %v, want exit code 1", c.part, err)
		}
		if !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") > 2 {
			t.Errorf("%s prints\n%swant\n%s", c.part, got, c.want)
		}
	}
	// With GOTRACEBACK there is a traceback too.
	if got, _ := again(t, "fatal", "GOTRACEBACK=all"); !strings.Contains(got, "cstderr.play(") || !strings.Contains(got, "carve: error: internal error") {
		t.Errorf("with GOTRACEBACK=all: %s", got)
	}
}

// Under a limit that Go cannot start with there is one line as well, in the requested
// form.
func TestLimit(t *testing.T) {
	for _, c := range []struct{ limit, args, want string }{
		{"-v 1300000", "", "carve: error: too low a limit to start: ulimit -v allows 1269 MB of addresses, and 2000 MB are needed\ncarve: hint: raise ulimit -v; "},
		{"-d 100000", "", "carve: error: too low a limit to start: ulimit -d allows 97 MB of memory, "},
		{"-s 64", "", "carve: error: too low a limit to start: ulimit -s allows 64 KB of stack, "},
		{"-n 6", "", "carve: error: too low a limit to start: only "},
		{"-n 20", "", "carve: error: too low a limit to start: only "},
		{"-u 5", "", "carve: error: too low a limit to start: only "},
		{"-n 7", "--log-format json", `{"message_type":"error","message":"too low a limit to start: only `},
		{"-n 7", "--log-format=text --log-format=json", `{"message_type":"error",`},
		{"-n 7", "--log-format json --log-format text", "carve: error: "},
		{"-n 7", "-- --log-format json", "carve: error: "},
	} {
		set := "ulimit " + c.limit
		if n, ok := strings.CutPrefix(c.limit, "-u"); ok { // other shells call it -p
			set = "{ " + set + " 2>/dev/null || ulimit -p" + n + "; }"
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", set+" && exec "+program(t)+" "+c.args)
		if os.Getuid() == 0 && strings.HasPrefix(c.limit, "-u") { // root is exempt
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		cmd.Env = append(os.Environ(), "TEST_STDERR_PART=lines")
		var b bytes.Buffer
		cmd.Stderr = &b
		var exit *exec.ExitError
		err := cmd.Run()
		tried := err == nil || errors.As(err, &exit) && !strings.HasPrefix(b.String(), "sh: ")
		if runtime.GOOS != "linux" && (err == nil || !tried) || !tried && os.Getenv("CI") != "true" {
			t.Logf("%s: this system has no such limit, or this user may not set it: %v\n%s", c.limit, err, &b)
			continue
		}
		if err == nil || !tried {
			t.Errorf("%s: it was not refused: %v\n%s", c.limit, err, &b)
			continue
		}
		got := b.String()
		lines := 2
		if strings.HasPrefix(c.want, "{") {
			lines = 1
			if !json.Valid(b.Bytes()) {
				t.Errorf("%s: not JSON", c.limit)
			}
		}
		if exit.ExitCode() != 1 || !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") != lines {
			t.Errorf("%s %s: exit code %d, and\n%swant 1 and\n%s", c.limit, c.args, exit.ExitCode(), got, c.want)
		}
	}
}

// program is a copy of this binary that other users may run.
func program(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cstderr-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "test")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// If standard error cannot be captured everything stays as it was: no file is left
// open, and output still appears.
func TestTakeFails(t *testing.T) {
	got, err := again(t, "short")
	if err != nil || got != "as before\nfailed, and then not\n" {
		t.Errorf("%v: %s", err, got)
	}
}

// short calls Take under increasing limits on open files, until it succeeds.
func short() {
	first, err := os.Open(os.DevNull)
	if err != nil {
		panic(err)
	}
	free := first.Fd()
	first.Close()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	setCrashOutput = func(*os.File, debug.CrashOptions) error { return syscall.EBADF }
	if err := Take(); !errors.Is(err, syscall.EBADF) {
		panic(err)
	}
	cPrints("as before\n")
	setCrashOutput = debug.SetCrashOutput
	for n := uint64(free); ; n++ {
		limit.Cur = n
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			panic(err)
		}
		err := Take()
		if err == nil {
			if n > uint64(free)+5 {
				fmt.Fprintln(File(), "failed, and then not")
			}
			if err := Give(); err != nil {
				panic(err)
			}
			return
		}
		if !errors.Is(err, syscall.EMFILE) {
			panic(err)
		}
		limit.Cur = uint64(free) + 1
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			panic(err)
		}
		f, err := os.Open(os.DevNull)
		if err != nil {
			panic(fmt.Sprintf("with %d: descriptors are left open: %v", n, err))
		}
		f.Close()
	}
}
