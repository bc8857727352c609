package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/ui"
	"github.com/spf13/pflag"
)

// TestHelpFits: no line of any help is wider than a terminal. Only paths of the cache,
// which are on lines of their own, may be.
func TestHelpFits(t *testing.T) {
	t.Setenv("CARVE_CACHE", "/cache")
	calls := [][]string{{"--help"}, {"--help-all"}, {"eval", "run", "--help"}, {"eval", "run", "--help-all"}}
	for _, name := range commandNames() {
		calls = append(calls, []string{name, "--help"}, []string{name, "--help-all"}, []string{"help", name})
	}
	for _, args := range calls {
		var out, errs bytes.Buffer
		if code := runCommand(args, &out, &errs, "text"); code != ui.ExitOK || out.Len() == 0 || errs.Len() > 0 {
			t.Errorf("carve %s: exit code %d, %d bytes of help, %s", strings.Join(args, " "), code, out.Len(), &errs)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > ui.HelpWidth {
				t.Errorf("carve %s: %d columns: %s", strings.Join(args, " "), n, line)
			}
		}
	}
}

// TestHelpNamesAllFlags: --help-all has every flag; --help has the common ones.
func TestHelpNamesAllFlags(t *testing.T) {
	fs := newSegmentFlags(new(segmentOptions))
	common, all := flagsHelp(fs, false), flagsHelp(fs, true)
	fs.VisitAll(func(f *pflag.Flag) {
		is := func(text string) int {
			return strings.Count(text, " --"+f.Name+" ") + strings.Count(text, " --"+f.Name+"\n")
		}
		if is(all) < 1 {
			t.Errorf("--help-all does not have --%s", f.Name)
		}
		if want := !isAdvanced(f); (is(common) > 0) != want {
			t.Errorf("--help has --%s: %v, want %v", f.Name, !want, want)
		}
	})
	for _, name := range []string{"input", "query", "output", "model"} {
		if f := fs.Lookup(name); isAdvanced(f) {
			t.Errorf("--%s is not among the common flags", name)
		}
	}
	for _, g := range flagGroups {
		for _, name := range g.flags {
			if fs.Lookup(name) == nil {
				t.Errorf("group %q names --%s, which carve does not have", g.title, name)
			}
		}
	}
}

func TestCheckDashes(t *testing.T) {
	for line, want := range map[string]string{
		"-i a.mp4 -q dog -o out.mp4": "",
		"-output out.mp4":            `-output would be read as -o with the value "utput"`,
		"-query=dog":                 `-query would be read as -q with the value "uery=dog"`,
		"-qdog -oout.mp4 -yv":        "",
		"-q -output":                 "",
		"--query -output -o x":       "",
		"--query=x -output x":        `-output would be read as -o with the value "utput"`,
		"-y -model demo":             `-model would be read as -m with the value "odel"`,
		"--quiet -- -output":         "",
		"- -":                        "",
		"-theta 0.3":                 "", // pflag reports an error itself
	} {
		err := checkDashes(newSegmentFlags(new(segmentOptions)), strings.Fields(line))
		if got := ""; err != nil {
			if got = err.Error(); got != want {
				t.Errorf("%q: %s, want %q", line, got, want)
			}
		} else if want != "" {
			t.Errorf("%q is fine, want %q", line, want)
		}
	}
}

// TestFlagHints: for an unknown flag, the hint names the flag that was probably meant.
func TestFlagHints(t *testing.T) {
	for line, want := range map[string]string{
		"--thetta 0.3":  "did you mean --theta? carve --help-all lists the flags",
		"-theta 0.3":    "did you mean --theta? Names of more than one letter take two dashes",
		"-theta=0.3":    "did you mean --theta? Names of more than one letter take two dashes",
		"--frobnicate":  "carve --help-all lists the flags",
		"--ouput x.mp4": "did you mean --output? carve --help-all lists the flags",
		"-z":            "carve --help-all lists the flags",
	} {
		err := parse(newSegmentFlags(new(segmentOptions)), strings.Fields(line), nil, io.Discard)
		if code, got := ui.Report(io.Discard, false, err), ui.Hint(err); code != ui.ExitUsage || got != want {
			t.Errorf("%q: exit code %d, hint %q, want %q", line, code, got, want)
		}
	}
}
