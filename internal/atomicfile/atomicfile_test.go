package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// holds checks that a folder has exactly these files with these contents.
func holds(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, ok := want[e.Name()]
		if !ok {
			t.Errorf("%s is there", e.Name())
			continue
		}
		if b, err := os.ReadFile(filepath.Join(dir, e.Name())); err != nil || string(b) != text {
			t.Errorf("%s holds %q, %v; want %q", e.Name(), b, err, text)
		}
	}
	if len(entries) < len(want) {
		t.Errorf("%d files are there, want %v", len(entries), want)
	}
}

func create(t *testing.T, path string, o Options) *File {
	t.Helper()
	f, err := Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestNamedWhenWhole: until Commit the name has the old file.
func TestNamedWhenWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	f := create(t, path, Options{})
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before Commit the name is taken: %v", err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err == nil {
		t.Error("committed twice")
	}
	f.Abort()
	holds(t, dir, map[string]string{"a.json": "new"})

	write(t, path, "old")
	create(t, path, Options{Overwrite: true}).Abort()
	holds(t, dir, map[string]string{"a.json": "old"})
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := create(t, path, Options{Overwrite: true}).Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"a.json": "new"})
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v, %v; want the old file's 0600", fi.Mode(), err)
	}
}

// TestComeUpMeanwhile: a file that appears during writing is not replaced without
// permission.
func TestComeUpMeanwhile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	f := create(t, path, Options{})
	write(t, path, "theirs")
	if err := f.Commit(); !errors.Is(err, ErrExists) {
		t.Errorf("Commit: %v, want %v", err, ErrExists)
	}
	holds(t, dir, map[string]string{"a": "theirs"})
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return dir + "/" + name }
	write(t, at("in"), "input")
	write(t, at("taken"), "precious")
	for from, to := range map[string]string{"toin": "in", "loop": "loop", "totoin": "toin", "nowhere": "gone/file"} {
		if err := os.Symlink(to, at(from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(at("in"), at("hard")); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"folder", "model"} {
		if err := os.Mkdir(at(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, at("model/weights"), "weights")
	o := Options{Overwrite: true, Inputs: []string{at("in"), at("missing"), at("model")}}
	for _, c := range []struct {
		path string
		o    Options
		want error
	}{
		{"", o, nil},
		{at("in"), o, ErrIsInput},
		{at("toin"), o, ErrIsInput},
		{at("totoin"), o, ErrIsInput},
		{at("hard"), o, ErrIsInput},
		{at("folder/../in"), o, ErrIsInput},
		{at("model/weights"), o, ErrIsInput},
		{at("taken"), Options{}, ErrExists},
		{at("toin"), Options{}, ErrExists},
		{at("folder"), o, ErrIsDirectory},
		{at("new/"), o, ErrIsDirectory},
		{at("none/file"), o, ErrNoFolder},
		{at("nowhere"), o, ErrNoFolder},
		{at("taken/file"), o, nil},
		{at("loop"), o, nil},
	} {
		_, err := Create(c.path, c.o)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.path, err, c.want)
		}
		var p Plan
		p.Options = c.o
		if again := p.Add(c.path); again == nil || again.Error() != err.Error() {
			t.Errorf("%s: planned: %v, created: %v", c.path, again, err)
		}
	}
	if found, _ := filepath.Glob(at(".*")); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
	if b, _ := os.ReadFile(at("in")); string(b) != "input" {
		t.Errorf("the input holds %q", b)
	}
}

// TestLinks: a link stays a link, even if its target does not exist yet.
func TestLinks(t *testing.T) {
	dir, behind := t.TempDir(), t.TempDir()
	for name, old := range map[string]string{"live": "old", "dangling": ""} {
		if old != "" {
			write(t, filepath.Join(behind, name), old)
		}
		link := filepath.Join(dir, name)
		if err := os.Symlink(filepath.Join(behind, name), link); err != nil {
			t.Fatal(err)
		}
		if err := create(t, link, Options{Overwrite: old != ""}).Commit(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if fi, err := os.Lstat(link); err != nil || fi.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more", name)
		}
	}
	holds(t, behind, map[string]string{"live": "new", "dangling": "new"})
}

func TestPlan(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	var p Plan
	for _, c := range []struct {
		name string
		want error
	}{{"a", nil}, {"b", nil}, {"a", ErrIsOutput}, {"./b", ErrIsOutput}, {"link", ErrIsOutput}} {
		if err := p.Add(dir + "/" + c.name); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	for range 2 {
		if err := p.Add("/dev/null"); err != nil {
			t.Errorf("/dev/null takes any number of outputs: %v", err)
		}
	}
	if got := p.Folders(); len(got) != 1 {
		t.Errorf("folders %v", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("planning created something: %v", entries)
	}
}

// TestAllOrNone: a reverted commit leaves the old files.
func TestAllOrNone(t *testing.T) {
	dir := t.TempDir()
	old, fresh := filepath.Join(dir, "old"), filepath.Join(dir, "fresh")
	write(t, old, "old")
	a, b := create(t, old, Options{Overwrite: true}), create(t, fresh, Options{})
	var undo []*Undo
	for _, f := range []*File{a, b} {
		u, err := f.CommitUndoable()
		if err != nil {
			t.Fatal(err)
		}
		undo = append(undo, u)
	}
	if left := Leftovers(dir); len(left) > 0 {
		t.Errorf("what is kept for now is called a leftover: %v", left)
	}
	if got, _ := os.ReadFile(old); string(got) != "new" {
		t.Errorf("committed: %q", got)
	}
	for _, u := range undo {
		u.Revert()
		u.Keep()
	}
	holds(t, dir, map[string]string{"old": "old"})

	u, err := create(t, old, Options{Overwrite: true}).CommitUndoable()
	if err != nil {
		t.Fatal(err)
	}
	u.Keep()
	u.Revert()
	holds(t, dir, map[string]string{"old": "new"})

	// A failed commit leaves no second name of the old file either.
	f := create(t, old, Options{Overwrite: true})
	if err := os.Remove(f.Path()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.CommitUndoable(); err == nil {
		t.Error("committed what is not there")
	}
	holds(t, dir, map[string]string{"old": "new"})
}

// TestDescriptors: names of this process's open files stand for these files. An input
// is protected, and a file open for reading is refused before any work.
func TestDescriptors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "in")
	write(t, path, "input")
	both, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	name := fmt.Sprintf("/dev/fd/%d", both.Fd())
	link := filepath.Join(dir, "link")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{name, link} {
		if _, err := Create(path, Options{Overwrite: true, Inputs: []string{filepath.Join(dir, "in")}}); !errors.Is(err, ErrIsInput) {
			t.Errorf("%s: %v, want %v", path, err, ErrIsInput)
		}
	}
	reading, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	folder, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	for f, want := range map[*os.File]string{reading: "reading only", folder: "directory"} {
		if _, err := Create(fmt.Sprintf("/dev/fd/%d", f.Fd()), Options{Overwrite: true}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", f.Name(), err, want)
		}
	}

	// Two outputs into one pipe.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	pipe := fmt.Sprintf("/dev/fd/%d", w.Fd())
	var p Plan
	if err := p.Add(pipe); err != nil {
		t.Error(err)
	}
	if err := p.Add(pipe); !errors.Is(err, ErrIsOutput) {
		t.Errorf("%v, want %v", err, ErrIsOutput)
	}
	var q Plan
	q.Occupy(w)
	if err := q.Add(pipe); !errors.Is(err, ErrIsOutput) {
		t.Errorf("%v, want %v", err, ErrIsOutput)
	}
}

// TestPrivate: a file that replaces a private one is private from the start. A
// read-only file is replaced too.
func TestPrivate(t *testing.T) {
	dir := t.TempDir()
	for _, mode := range []fs.FileMode{0, 0o200, 0o444, 0o600, 0o644} {
		path := filepath.Join(dir, "a")
		os.Remove(path)
		write(t, path, "old")
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		f := create(t, path, Options{Overwrite: true})
		if fi, err := os.Stat(f.Path()); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("while it is written: %v, %v", fi.Mode(), err)
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != mode {
			t.Errorf("mode %v, %v; want %v", fi.Mode(), err, mode)
		}
	}
}

func TestInPlace(t *testing.T) {
	f := create(t, "/dev/null", Options{})
	if !f.InPlace() {
		t.Error("/dev/null is not written in place")
	}
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
	if fi, err := os.Lstat("/dev/null"); err != nil || fi.Mode()&fs.ModeCharDevice == 0 {
		t.Fatalf("/dev/null is no device any more: %v", fi.Mode())
	}
	full, err := Create("/dev/full", Options{Overwrite: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := full.Write([]byte("x")); err == nil {
		t.Error("a full disk takes bytes")
	}
	full.Abort()

	// An open file of this process is written through, not opened again.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := create(t, fmt.Sprintf("/proc/self/fd/%d", w.Fd()), Options{})
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if b, err := io.ReadAll(r); err != nil || string(b) != "new" {
		t.Errorf("read %q, %v", b, err)
	}
}

// TestLeftovers: neither the files of a run in progress nor a user's files are listed.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".a.part-012345.mp4", ".b.part", "c.part-012345", ".d.part-01234x", ".e.old-abcdef.json"} {
		write(t, filepath.Join(dir, name), "12345")
	}
	if err := os.Mkdir(filepath.Join(dir, ".clip.part-ffffff"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := create(t, filepath.Join(dir, "x.mp4"), Options{})
	defer f.Abort()
	folder, err := CreateFolder(filepath.Join(dir, "y"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Abort()
	if !locked(f.Path()) || !locked(folder.Path()) {
		t.Error("what is written is not locked")
	}
	var got []string
	for _, l := range Leftovers(dir) {
		got = append(got, filepath.Base(l.Path))
		if l.Old != strings.Contains(l.Path, ".old-") {
			t.Errorf("%s: old is %v", l.Path, l.Old)
		}
		if want := map[bool]int64{false: 5}[l.Folder]; l.Size != want {
			t.Errorf("%s has %d bytes, want %d", l.Path, l.Size, want)
		}
	}
	slices.Sort(got)
	if want := []string{".a.part-012345.mp4", ".clip.part-ffffff", ".e.old-abcdef.json"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	t.Setenv("TMPDIR", t.TempDir())
	temporary, remove, err := TempDir("some-*")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(temporary, "x"), "y")
	RemoveAll()
	if err := remove(); err != nil {
		t.Error(err)
	}
	for _, path := range []string{f.Path(), folder.Path(), temporary} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clip")
	begin := func(o Options) *Folder {
		f, err := ReplaceFolder(path, o, func(name string, mode fs.FileMode) bool {
			return name == "film" && mode.IsRegular() || name == "more"
		})
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(f.Path(), "film"), "new")
		return f
	}
	begin(Options{}).Abort()
	holds(t, dir, map[string]string{})
	if err := begin(Options{}).Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, path, map[string]string{"film": "new"})
	if _, err := CreateFolder(path, Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("%v, want %v", err, ErrExists)
	}
	write(t, filepath.Join(path, "more"), "old")
	if err := begin(Options{Overwrite: true}).Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, path, map[string]string{"film": "new"})
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
}

// TestNames: any name has a hidden name that is short enough and is recognised.
func TestNames(t *testing.T) {
	for _, base := range []string{"a", ".hidden", "a.b.c", strings.Repeat("ä", 120) + ".mp4", "x." + strings.Repeat("y", 250), " ", "-y", "12:30.mp4", "%d.png"} {
		dir := t.TempDir()
		f := create(t, filepath.Join(dir, base), Options{})
		if !hiddenName.MatchString(filepath.Base(f.Path())) {
			t.Errorf("%q becomes %q", base, filepath.Base(f.Path()))
		}
		if part := filepath.Base(f.Path()); !IsPart(part, base) || IsPart(part, "b"+base) || IsPart(base, base) {
			t.Errorf("%q is not told as the part of %q, or as that of another", part, base)
		}
		if err := f.Commit(); err != nil {
			t.Errorf("%q: %v", base, err)
		}
		holds(t, dir, map[string]string{base: "new"})
	}
}
