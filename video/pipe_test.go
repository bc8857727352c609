package video

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// namedPipe makes a named pipe that write writes into until the test ends.
func namedPipe(t *testing.T, write func(w io.Writer)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer w.Close()
		write(w)
	}()
	t.Cleanup(func() { <-done })
	return path
}

// TestInterrupt checks that an interrupted pipe ends at once, even if its writer is
// idle, and that this is no damage.
func TestInterrupt(t *testing.T) {
	b, err := os.ReadFile(clip(t, "in.ts", "-c:v", "libx264", "-f", "mpegts"))
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	src := &Source{Path: namedPipe(t, func(w io.Writer) {
		w.Write(b)
		<-release // the writer pauses and does not close
	})}
	defer close(release)
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	time.AfterFunc(100*time.Millisecond, src.Interrupt)
	frames := 0
	for {
		f, err := src.Read(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
		frames++
	}
	if d := src.Damage(); frames == 0 || d.Count > 0 {
		t.Errorf("%d frames, %d damages (%v)", frames, d.Count, d.Err)
	}
}

// TestPipeIsReadOnce checks that much audio before the first frame is an error for a
// pipe. A file would be opened a second time.
func TestPipeIsReadOnce(t *testing.T) {
	defer func(n int) { maxKeptOfPipe = n }(maxKeptOfPipe)
	in := ffmpeg(t, "late.mkv", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", "-f", "lavfi", "-i", "sine=d=8:r=48000",
		"-filter:v", "setpts=PTS+5/TB", "-fps_mode", "passthrough", "-c:v", "libx264", "-c:a", "pcm_s16le", "-max_interleave_delta", "0")
	b, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	write := func(w io.Writer) { w.Write(b) }
	for limit, want := range map[int]string{16 << 10: "a pipe cannot be read twice", 256 << 20: ""} {
		maxKeptOfPipe = limit
		src := &Source{Path: namedPipe(t, write)}
		err := src.Initialize()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("limit %d: %v, want %q", limit, err, want)
		}
		src.Close()
	}
}

// TestBrokenPipe checks that if the reader of one output goes away, another output of
// the same source still gets all its packets.
func TestBrokenPipe(t *testing.T) {
	in := ffmpeg(t, "in.mkv", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=4", "-f", "lavfi", "-i", "sine=d=4:r=48000",
		"-c:v", "libx264", "-c:a", "pcm_s16le")
	src := &Source{Path: in}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	pipe := filepath.Join(t.TempDir(), "broken.mkv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		if r, err := os.Open(pipe); err == nil {
			io.CopyN(io.Discard, r, 100)
			r.Close()
		}
	}()
	good := &Sink{Path: filepath.Join(t.TempDir(), "o.mkv"), Source: src, Preset: "ultrafast"}
	broken := &Sink{Path: pipe, Source: src, Preset: "ultrafast"}
	for _, s := range []*Sink{good, broken} {
		if err := s.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer s.Abort()
	}
	var failed error
	for n := 0; ; n++ {
		f, err := src.Read(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if failed == nil {
			failed = broken.Encode(t.Context(), f)
		}
		err = good.Encode(t.Context(), f)
		f.Release()
		if err != nil {
			t.Fatal(err)
		}
	}
	<-left
	if failed == nil {
		failed = broken.Prepare()
	}
	if !errors.Is(failed, syscall.EPIPE) {
		t.Errorf("the broken output says %v", failed)
	}
	if err := good.Finish(); err != nil {
		t.Fatal(err)
	}
	sameList(t, "audio", packets(t, good.Path, "a", "data_hash"), packets(t, in, "a", "data_hash"))
}

// TestEmptyPipe checks that a writer that writes nothing is said so.
func TestEmptyPipe(t *testing.T) {
	src := &Source{Path: namedPipe(t, func(io.Writer) {})}
	if err := src.Initialize(); !errors.Is(err, ErrEmpty) {
		t.Errorf("%v, want %v", err, ErrEmpty)
	}
}

// TestSocketAsStandardInput checks that standard input can be a socket, whose name cannot be
// opened. The test runs itself for that.
func TestSocketAsStandardInput(t *testing.T) {
	const variable = "CARVE_TEST_READS_STDIN"
	if os.Getenv(variable) != "" {
		src := &Source{Path: "/dev/stdin"}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		f, err := src.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
		fmt.Println("a frame was read")
		return
	}
	b, err := os.ReadFile(clip(t, "in.ts", "-c:v", "libx264", "-f", "mpegts"))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Skip("no sockets here: ", err)
	}
	theirs, ours := os.NewFile(uintptr(pair[0]), "theirs"), os.NewFile(uintptr(pair[1]), "ours")
	defer ours.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSocketAsStandardInput$")
	cmd.Env, cmd.Stdin = append(os.Environ(), variable+"=1"), theirs
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	ours.Write(b) // the program may have read enough before the end
	syscall.Shutdown(pair[1], syscall.SHUT_WR)
	if err := cmd.Wait(); err != nil || !bytes.Contains(out.Bytes(), []byte("a frame was read")) {
		t.Errorf("%v\n%s", err, out.Bytes())
	}
}
