package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/ui"
)

// savedJob parses a command line and writes its job file.
func savedJob(t *testing.T, path string, args ...string) (*segmentOptions, *pflag.FlagSet) {
	t.Helper()
	o, fs := parsedJob(t, append(args, "--save-job", path)...)
	j, err := o.asJob(fs)
	if err != nil {
		t.Fatal(err)
	}
	data, err := j.Format()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return o, fs
}

// parsedJob parses a command line, with its job file if it has one.
func parsedJob(t *testing.T, args ...string) (*segmentOptions, *pflag.FlagSet) {
	t.Helper()
	o := new(segmentOptions)
	fs := newSegmentFlags(o)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	if err := o.applyJob(fs); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	if err := o.parseOutputs(); err != nil {
		t.Fatal(err)
	}
	return o, fs
}

// effective is what a run depends on: all flags, the queries and the outputs.
func effective(t *testing.T, o *segmentOptions, fs *pflag.FlagSet) map[string]any {
	t.Helper()
	all := make(map[string]any)
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Name == "output" || f.Name == "query" || f.Name == "job" || f.Name == "save-job" {
			return
		}
		value := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = append([]string{}, list.GetSlice()...)
		}
		all[f.Name] = value
		if f.Name != "input" {
			all["given "+f.Name] = fs.Changed(f.Name)
		}
	})
	queryFile := o.queryFile
	o.queryFile = ""
	queries, err := o.readQueries(o.newLog(io.Discard))
	if o.queryFile = queryFile; err != nil {
		t.Fatal(err)
	}
	all["queries"] = queries
	var specs []any
	for _, s := range o.specs {
		specs = append(specs, s.Spec)
	}
	all["outputs"] = specs
	return all
}

// sampleValues are values that a flag of a type can have.
func sampleValues(t *testing.T, f *pflag.Flag) []string {
	values, ok := map[string][]string{
		"bool":        {"true", "false"},
		"int":         {"0", "-1", "31"},
		"float32":     {"0", "0.1", "1e-06", "0.33333334"},
		"float64":     {"0", "0.85"},
		"interval":    {"0f", "12f", "2s", "1h2m3.5s"},
		"auto|frames": {"auto", "4"},
		"SIZE":        {"2G", "1500MiB", "1234567890B", "7kB"},
		"KEY=VALUE":   {"a=b", "a=", `a="b: c", #d`},
		"string":      {"", " ", "007", "no", "null", "~", "1e3", "a: b #c", "- a", "é|ü", `"q" 'r' \n`, "a\nb\u202e", "x.yaml", "sub/dir/", "-", "rtsp://h/x"},
		"stringArray": {"", "no", "a,b", "#a"},
	}[f.Value.Type()]
	if !ok {
		t.Errorf("--%s has the type %s, for which this test has no values", f.Name, f.Value.Type())
	}
	return values
}

// TestJobRoundTrip: a saved job has the options of its command line, for every flag.
func TestJobRoundTrip(t *testing.T) {
	t.Chdir(t.TempDir())
	same := func(args ...string) {
		t.Helper()
		o, fs := savedJob(t, "job.yaml", args...)
		o2, fs2 := parsedJob(t, "--job", "job.yaml")
		if d := cmp.Diff(effective(t, o, fs), effective(t, o2, fs2), cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
			t.Errorf("%q: %s", args, d)
		}
		// A job that is saved again stays as it is.
		first, _ := os.ReadFile("job.yaml")
		o2.saveJob = "job.yaml"
		again, err := o2.asJob(fs2)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := again.Format(); err != nil || string(second) != string(first) {
			t.Errorf("saved again (%v):\n%s\nfirst:\n%s", err, second, first)
		}
	}
	usual := []string{"-i", "in.mp4", "-q", "dog", "-o", "out.mp4"}
	all := slices.Clone(usual)
	newSegmentFlags(new(segmentOptions)).VisitAll(func(f *pflag.Flag) {
		if notInJobs[f.Name] != "" {
			return
		}
		for _, v := range sampleValues(t, f) {
			same(append(slices.Clone(usual), "--"+f.Name+"="+v)...)
			if _, list := f.Value.(pflag.SliceValue); list {
				same(append(slices.Clone(usual), "--"+f.Name+"="+v, "--"+f.Name+"=z=1")...)
			}
			if v != "" {
				all = append(all, "--"+f.Name+"="+v)
				if _, list := f.Value.(pflag.SliceValue); !list {
					return
				}
			}
		}
	})
	same(all...)
	for _, name := range []string{"007", "no", "1e3", "null", "~", "true", "#a", "- a", "a: b", "a=b|c d", `"a"`, "'a", "日本", "a  b", "[a]", "{a}", "*a", "&a", "!a", "%a", "@a", "a,b", "0x1f", ".5", "=", "..."} {
		if name == "=" {
			continue // no query
		}
		same("-i", name, "-q", name, "-q", "dog", "-o", name+".mp4", "-o", "./"+name, "-o", `masks,split=concept,concept="`+strings.ReplaceAll(name, `"`, "")+`",concept=dog,start=007:`+strings.Trim(name, "{}"))
	}
}

// TestJobPrecedence: a flag on the command line takes the place of all values of the file.
func TestJobPrecedence(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "input: a.mp4\nqueries: [dog, {label: pup, phrases: [puppy, small dog], theta: 0.5}]\noutputs:\n  - overlay: a.mkv\n    crf: 20\n  - masks: m/\n" +
		"settings: {queries: q.txt, model: demo, prompts: [blur, gray], crf: 5, overlap: yes, device-option: [a=1, b=2]}\n"
	if err := os.WriteFile("job.yaml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"":                                     "a.mp4 [] [dog pup] q.txt [a.mkv m/] demo [blur gray] 5 true [a=1 b=2]",
		"-i b.mp4":                             "b.mp4 [] [dog pup] q.txt [a.mkv m/] demo [blur gray] 5 true [a=1 b=2]",
		"-q cat":                               "a.mp4 [cat] []  [a.mkv m/] demo [blur gray] 5 true [a=1 b=2]",
		"--queries r.txt":                      "a.mp4 [] [] r.txt [a.mkv m/] demo [blur gray] 5 true [a=1 b=2]",
		"-o b.mkv":                             "a.mp4 [] [dog pup] q.txt [b.mkv] demo [blur gray] 5 true [a=1 b=2]",
		"--prompts black -m x --overlap=false": "a.mp4 [] [dog pup] q.txt [a.mkv m/] x [black] 5 false [a=1 b=2]",
		"--device-option c=3 --crf 0":          "a.mp4 [] [dog pup] q.txt [a.mkv m/] demo [blur gray] 0 true [c=3]",
	} {
		o, fs := parsedJob(t, append(strings.Fields(line), "--job", "job.yaml")...)
		var labels, paths []string
		for _, q := range o.jobQueries {
			labels = append(labels, q.Label)
		}
		for _, s := range o.specs {
			paths = append(paths, s.Path)
		}
		overlap := "false"
		if o.overlap {
			overlap = "true"
		}
		list := func(l []string) string { return "[" + strings.Join(l, " ") + "]" }
		got := strings.Join([]string{o.input, list(o.queries), list(labels), o.queryFile, list(paths), o.model, list(o.prompts), fs.Lookup("crf").Value.String(), overlap, list(o.settings.GetSlice())}, " ")
		if got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
		if !o.given("overlap") || !o.given("crf") || o.given("theta") {
			t.Errorf("%q: what the file gives does not count as given", line)
		}
	}
	// The file's --crf is the default of its outputs, as on a command line.
	o, _ := parsedJob(t, "--job", "job.yaml", "-o", "b.mkv")
	if crf := o.specs[0].encoding().CRF; crf != 5 {
		t.Errorf("crf is %d, want 5", crf)
	}
}

// TestJobErrors: what is wrong in a job has its line, whether the reader finds it or a later check.
func TestJobErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	const start = "input: a.mp4\nqueries: [dog]\noutputs: [out.mp4]\n"
	for text, want := range map[string][2]string{
		start + "settings: {modle: demo}\n":                                        {"job.yaml:4: modle is not a setting of a job", "did you mean model?"},
		start + "settings:\n  theta: x\n":                                          {`job.yaml:5: theta is "x": must be a number`, ""},
		start + "settings:\n  every: often\n":                                      {`job.yaml:5: every: "often" is neither auto`, ""},
		start + "settings:\n  overlap: maybe\n":                                    {`job.yaml:5: overlap is "maybe": must be true or false`, ""},
		start + "settings:\n  theta: 2\n":                                          {"job.yaml:5: --theta is 2, which is not between", ""},
		start + "settings:\n\n  view: up\n":                                        {"job.yaml:6: --view: ", ""},
		start + "settings:\n  memory: maybe\n":                                     {`job.yaml:5: --memory is "maybe"`, ""},
		start + "settings:\n  theta: [1, 2]\n":                                     {"job.yaml:5: theta is a list; it has one value", ""},
		start + "settings:\n  overwrite: yes\n":                                    {"job.yaml:5: overwrite is not a setting", "give -y"},
		start + "settings:\n  yes: yes\n":                                          {"job.yaml:5: yes is not a setting", "give --yes"},
		start + "settings:\n  input: a\n":                                          {"job.yaml:5: input is not a setting", "input is a key of the job"},
		start + "settings:\n  help-all: yes\n":                                     {"job.yaml:5: help-all is not", "lists the flags"},
		start + "settings:\n  job: a\n":                                            {"job.yaml:5: job is not", ""},
		"outputs:\n  - a.mp4\n  - mask: m\n":                                       {"job.yaml:3: an output has no kind", `did you mean "masks"?`},
		"outputs:\n  - masks: m\n    splitt: none\n":                               {`job.yaml:3: masks has no key "splitt"`, "did you mean split?"},
		"outputs:\n  - masks: m\n    split: both\n":                                {`job.yaml:3: split is "both"; it is one of`, "carve outputs masks"},
		"outputs:\n  - masks: m\n    split: [none, none]\n":                        {"job.yaml:3: split is given twice", ""},
		"outputs:\n  - masks: m\n    bits: 12\n":                                   {"job.yaml:2: output m: a pixel has 12 bits", "carve outputs masks"},
		"outputs:\n  - masks: [m]\n":                                               {"job.yaml:2: masks is one path", ""},
		"outputs:\n  - masks: ''\n":                                                {"job.yaml:2: masks is one path", ""},
		"outputs:\n  - masks: m\n    overlay: o\n":                                 {`job.yaml:3: masks has no key "overlay"`, ""},
		"outputs:\n  - {}\n":                                                       {"job.yaml:2: ", ""},
		"outputs:\n  - masks,splitt=a:m\n":                                         {`job.yaml:2: output masks,splitt=a:m: masks has no key "splitt"`, "did you mean split?"},
		"outputs:\n  - masks\n":                                                    {"job.yaml:2: output masks is a kind without a path", ""},
		"outputs:\n  - ''\n":                                                       {"job.yaml:2: an output without a name", ""},
		"input: a.mp4\nqueries: [dog]\noutputs:\n  - masks: m\n    concept: cat\n": {`job.yaml:4: output m: there is no query "cat"`, "the queries are dog"},
		"queries: [dog]\noutputs: [out.mp4]\n":                                     {"no input", ""},
		"input: a.mp4\noutputs: [out.mp4]\n":                                       {"no query", ""},
		"input: a.mp4\nqueries: [dog]\n":                                           {"no output", ""},
		"inputs: a.mp4\n":                                                          {`job.yaml:1: a job has no key "inputs"`, "did you mean input?"},
	} {
		if err := os.WriteFile("job.yaml", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		// Other queries and outputs on the command line do not make the file right, but what
		// is missing can be given there.
		for _, more := range [][]string{nil, {"-i", "a.mp4", "-q", "dog", "-o", "out.mp4"}} {
			err := runSegment(append([]string{"--job", "job.yaml", "--save-job", "-"}, more...), io.Discard, io.Discard)
			if more != nil && (strings.HasPrefix(want[0], "no ") || strings.Contains(want[0], "no query")) {
				if err != nil {
					t.Errorf("%q: with all on the command line: %v", text, err)
				}
				continue
			}
			if err == nil || !strings.HasPrefix(err.Error(), want[0]) || !strings.Contains(ui.Hint(err), want[1]) || ui.Report(io.Discard, false, err) != ui.ExitUsage {
				t.Errorf("%q: error %v, hint %q, want %q, %q", text, err, ui.Hint(err), want[0], want[1])
			}
		}
	}
}

// TestJobErrorOfFlag: a mistake on the command line is not blamed on the file.
func TestJobErrorOfFlag(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("job.yaml", []byte("input: a.mp4\nqueries: [dog]\noutputs: [out.mp4]\nsettings: {theta: 0.5}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := runSegment([]string{"--job", "job.yaml", "--theta", "2", "--save-job", "-"}, io.Discard, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "--theta is 2") {
		t.Errorf("error %v", err)
	}
}

// TestJobDocument: the example of the document is a job.
func TestJobDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/jobs.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte("```yaml\n"))
	text, _, _ = bytes.Cut(text, []byte("```"))
	t.Chdir(t.TempDir())
	if err := os.WriteFile("shot.yaml", text, 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := runSegment([]string{"--job", "shot.yaml", "--save-job", "-"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"input: shot.mov\n", "  - label: frisbee\n", "  - overlay: out.mp4\n    opacity: 0.6\n", "  - overlay: proxy.mkv\n", "  prompts: [blur, gray]\n", "  overlap: true\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, &out)
		}
	}
}

// TestKeysAreNotTheirKind: a job tells the kind of an output from its keys.
func TestKeysAreNotTheirKind(t *testing.T) {
	for _, k := range defaultOptions().outputKinds() {
		for _, f := range k.Fields() {
			if f.Key == k.Name {
				t.Errorf("the kind %s has a key of the same name", k.Name)
			}
		}
	}
}

// TestJobPaths: a job means the same files wherever it is run, also through links.
func TestJobPaths(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"work/jobs/deep", "far/away"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(top, "far/away"), filepath.Join(top, "work/link")); err != nil {
		t.Skipf("there are no symbolic links here: %v", err)
	}
	for _, f := range []string{"up.mp4", "work/in.mp4", "work/jobs/in.mp4", "far/in.mp4", "far/away/in.mp4"} {
		if err := os.WriteFile(filepath.Join(top, f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, job := range []string{"job.yaml", "jobs/job.yaml", "jobs/deep/job.yaml", "../job.yaml", "link/job.yaml", "link/../job.yaml", filepath.Join(top, "far/job.yaml")} {
		for _, in := range []string{"in.mp4", "./in.mp4", "../up.mp4", "jobs/in.mp4", "jobs/../in.mp4", "link/in.mp4", "link/../in.mp4", filepath.Join(top, "up.mp4")} {
			t.Chdir(filepath.Join(top, "work"))
			want, err := os.Stat(in)
			if err != nil {
				t.Fatal(err)
			}
			dir, _ := filepath.Split("./" + in)
			if filepath.IsAbs(in) {
				dir, _ = filepath.Split(in)
			}
			savedJob(t, job, "-i", in, "-q", "dog", "-o", "masks:"+dir, "--explain", in, "-m", dir+"x", "--classifier", "clip")
			for _, from := range []string{"", "jobs", "link", "..", "/"} {
				t.Chdir(filepath.Join(top, "work"))
				path, err := filepath.EvalSymlinks(job)
				if err != nil {
					t.Fatal(err)
				}
				if path, err = filepath.Abs(path); err != nil {
					t.Fatal(err)
				}
				if from == "" {
					path = job
				} else {
					t.Chdir(from)
				}
				if rel, err := filepath.Rel(filepath.Join(top, "work/jobs"), path); err == nil && from == "jobs" {
					path = rel
				}
				o, _ := parsedJob(t, "--job", path)
				for _, p := range []string{o.input, o.explain, o.specs[0].Path + filepath.Base(in), strings.TrimSuffix(o.model, "x") + filepath.Base(in)} {
					got, err := os.Stat(p)
					if err != nil || !os.SameFile(got, want) {
						t.Errorf("job %s, input %s, from %q: %s (%v)", job, in, from, p, err)
					}
				}
				if o.classifier != "clip" || !strings.HasSuffix(o.specs[0].Path, "/") {
					t.Errorf("classifier %s, masks %s", o.classifier, o.specs[0].Path)
				}
			}
			os.Remove(filepath.Join(top, "work", job))
		}
	}
}

// TestJobModel: a model that is a folder here stays that folder.
func TestJobModel(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.MkdirAll("sub/mine", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("demo", 0o755); err != nil { // a name of a model goes before a folder
		t.Fatal(err)
	}
	for _, c := range []struct{ job, model, want string }{
		{"job.yaml", "sub", "./sub"},
		{"sub/job.yaml", "sub/mine", "sub/./mine"},
		{"sub/job.yaml", "none", "none"},
		{"sub/job.yaml", "clip", "clip"},
		{"sub/job.yaml", "demo", "demo"},
	} {
		savedJob(t, c.job, "-i", "a", "-q", "dog", "-o", "a.mp4", "-m", c.model)
		if o, _ := parsedJob(t, "--job", c.job); o.model != c.want {
			t.Errorf("%s in %s is %s, want %s", c.model, c.job, o.model, c.want)
		}
	}
}
