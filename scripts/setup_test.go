// Package scripts tests the set-up: what it prints at its start, on other systems than this
// one.
package scripts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plain are programs that every system has.
var plain = []string{"bash", "cat", "cksum", "cmp", "cut", "dirname", "env", "find", "grep", "head", "mkdir", "mktemp", "mv", "rm", "sed", "sleep", "sort", "tail", "wc"}

// building are programs that set-up finds or installs.
var building = []string{"gcc", "go", "make", "git", "pkg-config", "strace", "curl", "unzip"}

// A system is one that set-up runs on, pretended for the test.
type system struct {
	release string // content of /etc/os-release
	stubs   map[string]string
	tools   []string // of this machine
	env     []string
}

// setup runs scripts/setup.sh there, and returns its output, its exit code and its cache.
func (s system) setup(t *testing.T, args ...string) (said string, code int, cache string) {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	cache = filepath.Join(dir, "cache")
	release := filepath.Join(dir, "os-release")
	if err := errors.Join(os.Mkdir(bin, 0o777), os.WriteFile(release, []byte(s.release), 0o666)); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(plain, s.tools...) {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("no program %s here", name)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	stubs := map[string]string{"uname": `[ "$1" = -m ] && echo x86_64 || echo Linux`, "id": "echo 1000"}
	for name, body := range s.stubs {
		stubs[name] = body
	}
	for name, body := range stubs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!"+filepath.Join(bin, "bash")+"\n"+body+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(bin, "bash"), append([]string{"setup.sh"}, args...)...)
	cmd.Env = append([]string{"PATH=" + bin, "HOME=" + dir, "CARVE_CACHE=" + cache, "CARVE_OS_RELEASE=" + release}, s.env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode(), cache
}

// apt returns a system with an apt that prints a line when it is called, and that offers a
// version of FFmpeg.
func apt(release, candidate string) system {
	return system{release: release, stubs: map[string]string{
		"apt-get":    "echo APT-GET CALLED",
		"apt-cache":  "echo '  Candidate: " + candidate + "'",
		"dpkg-query": "exit 1",
		"sudo":       "exit 1",
	}}
}

// TestRefusals: missing packages that cannot be installed, and unsupported systems, are
// reported in one line before anything is fetched.
func TestRefusals(t *testing.T) {
	on := func(s system, name, body string) system {
		s.stubs = map[string]string{name: body}
		return s
	}
	for name, c := range map[string]struct {
		system
		want, lacks string // regular expressions
	}{
		"Debian 12": {apt("ID=debian\nVERSION_ID=12\n", "7:5.1.6-0+deb12u1"), `root is needed, once, for this: apt-get update && apt-get install .*nasm .*libwebp-dev`, `libavcodec`},
		"Debian 13": {apt("ID=debian\nVERSION_ID=13\n", "7:7.1.1-1"), `root is needed, .*gcc libc6-dev make git .*libavcodec-dev .*libpostproc-dev`, `nasm`},
		// Its lists are empty.
		"new Debian 13": {apt("ID=debian\nVERSION_ID=13\n", "(none)"), `root is needed, .*libavcodec-dev .*libpostproc-dev`, `nasm`},
		// Its FFmpeg is too new.
		"Debian sid":   {apt("ID=debian\n", "7:9.0.2-4"), `root is needed, .*nasm .*libwebp-dev`, `libavcodec`},
		"Ubuntu 22.04": {apt("ID=ubuntu\nVERSION_ID=\"22.04\"\n", "7:4.4.2-0ubuntu0.22.04.1"), `root is needed, .*nasm .*libwebp-dev`, `libavcodec`},
		"Ubuntu 26.04": {apt("ID=ubuntu\nVERSION_ID=\"26.04\"\n", "7:8.0.1-3ubuntu2"), `root is needed, .*libavcodec-dev`, `nasm|libpostproc`},
		"Mint":         {apt("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"22\"\n", "7:6.1.1-3ubuntu5"), `root is needed, .*nasm`, `libavcodec`},
		"Debian 11":    {apt("PRETTY_NAME=\"Debian GNU/Linux 11\"\nID=debian\nVERSION_ID=11\n", "7:4.3.6"), `Debian GNU/Linux 11 is not supported`, `root is needed`},
		"Ubuntu 20.04": {apt("PRETTY_NAME=\"Ubuntu 20.04 LTS\"\nID=ubuntu\nVERSION_ID=\"20.04\"\n", "7:4.2.7"), `Ubuntu 20.04 LTS is not supported`, `root is needed`},
		"Fedora":       {on(system{release: "ID=fedora\n"}, "dnf", ""), `hint: sudo dnf install gcc make git pkgconf-pkg-config .*ffmpeg-free-devel, then`, `root is needed`},
		"Arch":         {on(system{release: "ID=arch\n"}, "pacman", ""), `hint: sudo pacman -S --needed gcc make git pkgconf .*ffmpeg, then`, `root is needed`},
		"openSUSE":     {on(system{release: "ID=opensuse-tumbleweed\n"}, "zypper", ""), `hint: sudo zypper install gcc make .*ffmpeg-7-libavcodec-devel .*, then`, `root is needed`},
		"macOS":        {on(system{}, "uname", `[ "$1" = -m ] && echo arm64 || echo Darwin`), `hint: brew install .*pkgconf .*ffmpeg@7.*, then export PKG_CONFIG_PATH=`, `strace|root is needed`},
		"another":      {system{release: "PRETTY_NAME=Gentoo\n"}, `missing here: gcc, make, git, pkg-config, .*FFmpeg 7.1 or 8`, `root is needed`},
		"Windows":      {on(system{}, "uname", `[ "$1" = -m ] && echo x86_64 || echo MINGW64_NT-10.0`), `MINGW64_NT-10.0 is not supported`, `missing`},
		"RISC-V":       {on(system{release: "ID=fedora\n"}, "uname", `[ "$1" = -m ] && echo riscv64 || echo Linux`), `riscv64 is not supported`, `missing`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, code, cache := c.setup(t)
			if code != 1 || !regexp.MustCompile(c.want).MatchString(said) || regexp.MustCompile(c.lacks).MatchString(said) {
				t.Errorf("exit code %d, want 1; to say %q and not %q:\n%s", code, c.want, c.lacks, said)
			}
			if n := strings.Count(said, "\n"); n != 2 || strings.Count(said, "setup: error: ") != 1 || strings.Count(said, "setup: hint: ") != 1 {
				t.Errorf("not one line and a hint:\n%s", said)
			}
			if strings.Contains(said, "APT-GET CALLED") {
				t.Error("apt-get was called before")
			}
			if _, err := os.Stat(cache); err == nil {
				t.Error("there is a cache already")
			}
		})
	}
}

// TestInstalls: with sudo, everything is installed with one command.
func TestInstalls(t *testing.T) {
	s := apt("ID=debian\nVERSION_ID=13\n", "7:7.1.1-1")
	s.stubs["sudo"] = `[ "$1" = -n ] || "$@"`
	s.stubs["apt-get"] = `echo "E: no apt-get in this test: $*"; exit 100`
	said, code, _ := s.setup(t)
	if code != 1 || strings.Count(said, "E: no apt-get in this test") != 2 || !strings.Contains(said, "apt-get could not install") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	said, code, cache := s.setup(t, "--offline")
	if _, err := os.Stat(cache); code != 1 || err == nil || strings.Contains(said, "no apt-get") || !strings.Contains(said, "run once without --offline") {
		t.Errorf("offline: exit code %d:\n%s", code, said)
	}
}

// TestContinues: if no package names are known, but nothing is missing, set-up continues.
func TestContinues(t *testing.T) {
	library := os.Getenv("CARVE_BUILD_ONNXRUNTIME")
	if library == "" {
		t.Skip("run with scripts/env.sh")
	}
	s := system{release: "ID=fedora\n", tools: building, stubs: map[string]string{"dnf": "echo DNF CALLED"}}
	s.env = []string{"CARVE_ONNXRUNTIME=" + library, "PKG_CONFIG_PATH=" + os.Getenv("PKG_CONFIG_PATH")}
	said, code, cache := s.setup(t)
	if code != 0 || said != "" {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	env, err := os.ReadFile(filepath.Join(cache, "build.env"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CARVE_CACHE='" + cache + "'", "CARVE_BUILD_ONNXRUNTIME='" + library + "'"} {
		if !strings.Contains(string(env), want) {
			t.Errorf("build.env lacks %s:\n%s", want, env)
		}
	}
}

// TestGoSums: the checksums are of the version in go.mod.
func TestGoSums(t *testing.T) {
	version := regexp.MustCompile(`(?m)^go (1\.\d+\.\d+)$`).FindStringSubmatch(read(t, "../go.mod"))
	if version == nil {
		t.Fatal("go.mod names no full version of Go")
	}
	for _, arch := range []string{"amd64", "arm64"} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s linux-%s [0-9a-f]{64}$`, regexp.QuoteMeta(version[1]), arch)).MatchString(read(t, "setup/go.sums")) {
			t.Errorf("setup/go.sums has no sum of Go %s for %s", version[1], arch)
		}
	}
}

// TestModuleFiles: the module file for FFmpeg 8 equals that for FFmpeg 7 except for the binding.
func TestModuleFiles(t *testing.T) {
	binding := regexp.MustCompile(`go-astiav v0\.\d+\.\d+\b`)
	for _, ext := range []string{".mod", ".sum"} {
		var texts [2]string
		for i, name := range []string{"../go", "../go.ffmpeg8"} {
			for line := range strings.Lines(read(t, name+ext)) {
				if ext == ".sum" && binding.MatchString(line) {
					continue
				}
				texts[i] += binding.ReplaceAllString(line, "go-astiav")
			}
		}
		if d := cmp.Diff(texts[0], texts[1]); d != "" {
			t.Errorf("go%s and go.ffmpeg8%s differ (run go mod tidy -modfile=go.ffmpeg8.mod):\n%s", ext, ext, d)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
