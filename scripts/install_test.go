package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestInstall: the program is installed, and those libraries that are in a user's cache.
func TestInstall(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("scripts/install.sh", read(t, "install.sh"), 0o777)
	write("LICENSE", "licence", 0o666)
	write("README.md", "readme", 0o666)
	install := func() (string, error) {
		out, err := exec.Command("bash", filepath.Join(dir, "scripts", "install.sh"), filepath.Join(dir, "to here")).CombinedOutput()
		return string(out), err
	}
	if out, err := install(); err == nil || !strings.Contains(out, "install: hint: make build") {
		t.Errorf("before it is built: %v, %s", err, out)
	}

	write("bin/carve", "program", 0o777)
	write("cache/ffmpeg/lib/libavutil.so.59.39.100", "library", 0o777)
	for _, name := range []string{"libavutil.so.59", "libavutil.so"} {
		if err := os.Symlink("libavutil.so.59.39.100", filepath.Join(dir, "cache/ffmpeg/lib", name)); err != nil {
			t.Fatal(err)
		}
	}
	write("cache/onnxruntime/libonnxruntime.so", "runtime", 0o777)
	write("to here/lib/carve/libavutil.so.58", "of the last time", 0o777)
	installed := func() (names []string) {
		filepath.WalkDir(filepath.Join(dir, "to here"), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := filepath.Rel(filepath.Join(dir, "to here"), path)
				names = append(names, rel)
			}
			return err
		})
		return names
	}
	documents := []string{"share/doc/carve/LICENSE", "share/doc/carve/README.md"}
	for _, c := range []struct {
		ffmpeg, runtime string
		want            []string
	}{
		{filepath.Join(dir, "cache/ffmpeg/lib"), filepath.Join(dir, "cache/onnxruntime/libonnxruntime.so"), []string{"bin/carve", "lib/carve/libavutil.so.59", "lib/carve/libonnxruntime.so"}},
		{"", filepath.Join(dir, "cache/onnxruntime/libonnxruntime.so"), []string{"bin/carve", "lib/carve/libonnxruntime.so"}},
		{"", "/usr/lib/libonnxruntime.so.1.30.0", []string{"bin/carve"}},
	} {
		write("bin/libraries", c.ffmpeg+"\n"+c.runtime+"\n", 0o666)
		out, err := install()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := installed(); !slices.Equal(got, append(c.want, documents...)) {
			t.Errorf("installed %q, want %q and the documents", got, c.want)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "to here/bin/carve")); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("the program: %v, %v", st.Mode(), err)
	}
}
