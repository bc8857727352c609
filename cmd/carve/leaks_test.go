package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
)

// A process runs the program as users do: in a folder, with its own home and folder for
// temporary files.
type process struct {
	dir, home, tmp, cache string
}

func newProcess(t *testing.T) *process {
	t.Helper()
	if _, _, err := models.Runtime(); err != nil {
		needsRuntime(t, err)
		t.Fatal(err)
	}
	root := t.TempDir()
	p := &process{filepath.Join(root, "work"), filepath.Join(root, "home"), filepath.Join(root, "tmp"), filepath.Join(root, "cache")}
	for _, d := range []string{p.dir, p.home, p.tmp} {
		if err := os.Mkdir(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(p.dir, "demo.mp4"), democlip.Clip, 0o666); err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a command line and returns what it prints and its exit code.
func (p *process) run(t *testing.T, line ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	cmd.Dir = p.dir
	lib, _, err := models.Runtime()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.home, "TMPDIR=" + p.tmp, "CARVE_CACHE=" + p.cache, "CARVE_ONNXRUNTIME=" + lib}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// controlCharacters changes a terminal's title, cursor and text direction, in seven ways.
const controlCharacters = "a\x1b]0;title\a\x1b[2J\r\nb\u009b2J\u202e\x7f\xff"

// TestNothingInjected: control characters are never printed, wherever they come from.
func TestNothingInjected(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector: run without -short")
	}
	p := newProcess(t)
	still := image.NewGray(image.Rect(0, 0, 64, 64))
	var b bytes.Buffer
	if err := png.Encode(&b, still); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		controlCharacters + ".png": b.Bytes(), controlCharacters + ".mp4": []byte("no video"), controlCharacters + ".yaml": []byte("- label: [" + controlCharacters + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), content, 0o666); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("%v: set TMPDIR to a file system that takes control characters in names", err)
		}
	}
	for _, line := range [][]string{
		{"-i", controlCharacters + ".png", "-o", controlCharacters + "2.png", "-q", "dog", "-m", "demo", "-v"},
		{"-i", controlCharacters + ".mp4", "-o", "out.mp4", "-q", "dog", "-m", "demo"},
		{"-i", "demo.mp4", "-o", controlCharacters, "-q", "dog", "-m", "demo"},
		{"-i", controlCharacters + ".png", "-o", "3.png", "-q", controlCharacters, "-m", "demo"},
		{"-i", "demo.mp4", "-o", "out.mp4", "--queries", controlCharacters + ".yaml", "-m", "demo"},
		{"-i", "demo.mp4", "-o", "out.mp4", "-q", "dog", "-m", controlCharacters},
		{"-i", "demo.mp4", "-o", "out.mp4", "-q", "dog", "-m", "demo", "--preset", controlCharacters},
		{"-i", "demo.mp4", "-o", "out.mp4", "-q", "dog", "-m", "demo", "--" + controlCharacters},
		{"try", controlCharacters + ".png", "-q", "dog", "-m", "demo"},
		{"models", "show", controlCharacters},
		{controlCharacters},
	} {
		for _, format := range []string{"text", "json"} {
			if format == "json" {
				if !strings.HasPrefix(line[0], "-") {
					continue
				}
				line = append(line, "-y", "--log-format", "json", "--progress", "json")
			}
			stdout, stderr, code := p.run(t, append([]string{"carve"}, line...)...)
			for _, text := range []string{stdout, stderr} {
				if i := strings.IndexFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || r != '\n' && unicode.In(r, unicode.C) }); i >= 0 {
					t.Errorf("%q prints raw %q:\n%q", line, text[i:i+1], text)
				}
				if strings.Contains(text, "\nb") {
					t.Errorf("%q prints a line that is not its own:\n%s", line, text)
				}
			}
			if stdout+stderr == "" {
				t.Errorf("%q prints nothing", line)
			}
			if code != ui.ExitOK && code != ui.ExitFailed && code != ui.ExitUsage {
				t.Errorf("%q ends with %d", line, code)
			}
			if format == "json" {
				requireJSON(t, stderr)
			}
		}
	}
}

// requireJSON checks that every line is a JSON object.
func requireJSON(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Errorf("no object: %q", line)
		}
	}
}

// TestOnlyJSON: with --log-format json there is nothing but JSON on standard error,
// although encoders print there, too.
func TestOnlyJSON(t *testing.T) {
	p := newProcess(t)
	// x264 prints on descriptor 2 that it does not know the preset.
	_, stderr, code := p.run(t, "carve", "-i", "demo.mp4", "-o", "out.mp4", "-q", "dog", "-m", "demo",
		"--encoder", "libx264", "--encoder-preset", "nosuch", "--log-format", "json", "-v")
	if code != ui.ExitFailed && code != ui.ExitUsage {
		t.Errorf("exit code %d", code)
	}
	requireJSON(t, stderr)
	if !strings.Contains(stderr, "nosuch") {
		t.Errorf("it does not say why: %s", stderr)
	}
	// As text it has the form of all messages.
	_, stderr, _ = p.run(t, "carve", "-i", "demo.mp4", "-o", "out.mp4", "-q", "dog", "-m", "demo",
		"--encoder", "libx264", "--encoder-preset", "nosuch", "-v")
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "carve: ") {
			t.Errorf("a line of another form: %q", line)
		}
	}
}

// TestNothingSent: a run opens no socket, resolves no name, and writes nothing outside its
// cache and its outputs. ONNX Runtime's telemetry is sent ten seconds after start-up, but
// its files are created at once, so a short run is enough to detect it.
func TestNothingSent(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector: run without -short")
	}
	p := newProcess(t)
	golden.Inputs() // so that the test is run again when strace is installed or removed
	trace := filepath.Join(t.TempDir(), "trace")
	strace := []string{"strace", "-f", "-qq", "-y", "-o", trace, "-e", "trace=%network,?open,openat,?openat2,?creat,?mkdir,mkdirat,?mknod,mknodat," +
		"?rename,?renameat,renameat2,?link,linkat,?symlink,symlinkat,?unlink,unlinkat,truncate"}
	if out, err := exec.Command(strace[0], append(strace[1:], "true")...).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("strace does not run: %v\n%s", err, out)
		}
		t.Skipf("strace does not run: %v: make setup installs it, and the sandbox must allow ptrace", err)
	}
	for _, line := range [][]string{
		{"try", "demo.mp4", "--at", "1", "-q", "dog", "-m", "demo", "-o", "try.png"},
		{"-i", "try.png", "-o", "out.png", "-q", "dog", "-m", "demo", "--explain", "why.jsonl"},
	} {
		_, stderr, code := p.run(t, append(append(strace, "carve"), line...)...)
		if code != ui.ExitOK {
			t.Fatalf("%q ends with %d:\n%s", line, code, stderr)
		}
		text, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte("demo.mp4")) && !bytes.Contains(text, []byte("try.png")) {
			t.Fatalf("the trace of %q does not contain its input", line)
		}
		for call := range strings.Lines(string(text)) {
			if what := p.leaks(call); what != "" {
				t.Errorf("%q %s: %s", line, what, call)
			}
		}
	}
	for _, dir := range []string{p.home, p.tmp} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("in %s there is %v (%v)", dir, left, err)
		}
	}
}

var (
	aPath      = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	aFolder    = regexp.MustCompile(`\((?:AT_FDCWD|\d+)<([^>]*)>`)
	forWriting = regexp.MustCompile(`O_WRONLY|O_RDWR|O_CREAT|\b(?:creat|mkdir|mknod|rename|link|symlink|unlink|truncate)(?:at2?)?\(`)
	aLookup    = regexp.MustCompile(`"/etc/(?:resolv\.conf|hosts|host\.conf|gai\.conf)"|nscd|resolve`)
)

// leaks returns what is wrong with a system call, or "".
func (p *process) leaks(call string) string {
	switch {
	case strings.Contains(call, "socket(") || strings.Contains(call, "connect(") || strings.Contains(call, "sendto("):
		return "opens a socket"
	case aLookup.MatchString(call):
		return "resolves a name"
	case !forWriting.MatchString(call):
		return ""
	}
	at := p.dir
	if f := aFolder.FindStringSubmatch(call); f != nil {
		at = f[1]
	}
	for _, m := range aPath.FindAllStringSubmatch(call, -1) {
		path := m[1]
		if !filepath.IsAbs(path) {
			path = filepath.Join(at, path)
		}
		if path == os.DevNull || strings.HasPrefix(path, "/proc/self/") {
			continue
		}
		for _, allowed := range []string{p.dir, p.tmp, p.cache} {
			if path == allowed || strings.HasPrefix(path, allowed+"/") {
				path = ""
				break
			}
		}
		if path != "" {
			return "writes outside its folders"
		}
	}
	return ""
}
