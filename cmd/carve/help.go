package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/ui"
	"github.com/spf13/pflag"
)

// helpAll is the flag that lists all flags, where --help lists the common ones.
const helpAll = "help-all"

// A flagGroup is a group of related flags.
type flagGroup struct {
	title string
	flags []string
}

// flagGroups are the advanced flags, which only --help-all lists. All others are common,
// or specific to their command.
var flagGroups = []flagGroup{
	{"Output", []string{"encoder", "crf", "encoder-preset", "explain", "strict", "allow-playlists", "checkpoint", "checkpoint-every", "restore"}},
	{"Models", []string{"classifier", "device-option", "precision", "threads", "max-memory", "offline"}},
	{"What counts as found", []string{"theta", "presence", "eta", "lambda", "overlap", "prompts", "templates", "view", "compat"}},
	{"From frame to frame", []string{"memory", "every", "probe", "judge-every", "lookahead", "steady", "batch"}},
	{"Messages", []string{"verbose", "progress", "log-format"}},
}

// flagsHelp lists the flags of a command: the common ones, or all of them in groups.
func flagsHelp(fs *pflag.FlagSet, all bool) string {
	text := "Flags:\n" + flagUsages(fs, func(f *pflag.Flag) bool { return !isAdvanced(f) })
	for _, g := range flagGroups {
		usages := flagUsages(fs, func(f *pflag.Flag) bool { return slices.Contains(g.flags, f.Name) })
		switch {
		case usages == "":
		case all:
			text += "\n" + g.title + ":\n" + usages
		default:
			return text + "\n" + helpCall(fs) + " lists all flags.\n"
		}
	}
	return text
}

// flagUsages describes the wanted flags of a set, in their order.
func flagUsages(fs *pflag.FlagSet, wanted func(*pflag.Flag) bool) string {
	var heads, texts []string
	width := 0
	fs.SortFlags = false
	fs.VisitAll(func(f *pflag.Flag) {
		if !wanted(f) {
			return
		}
		head := "      --" + f.Name
		if f.Shorthand != "" {
			head = "  -" + f.Shorthand + ", --" + f.Name
		}
		value, text := valueOf(f)
		head = strings.TrimRight(head+" "+value, " ")
		switch d := f.DefValue; {
		case slices.Contains([]string{"", "0", "false", "[]"}, d):
		case f.Value.Type() == "string":
			text += fmt.Sprintf(" (default %q)", d)
		default:
			text += fmt.Sprintf(" (default %s)", d)
		}
		heads, texts = append(heads, head), append(texts, text)
		width = max(width, utf8.RuneCountInString(head))
	})
	var b strings.Builder
	for i, head := range heads {
		b.WriteString(ui.Hanging(head, width+3, texts[i]))
	}
	return b.String()
}

// valueOf returns the placeholder for the value of a flag, and its description.
func valueOf(f *pflag.Flag) (value, text string) {
	value, text = pflag.UnquoteUsage(f)
	switch f.Value.Type() {
	case "bool":
		return "", text
	case "int", "uint64", "float32", "float64":
		return "N", text
	case "string", "stringArray", "stringSlice":
		if !strings.HasPrefix(value, "string") {
			return value, text // the description has it in back quotes
		}
		for _, v := range []struct {
			name  string
			flags []string
		}{
			{"FILE", fileFlags},
			{"DIR", []string{"root", "images"}},
			{"PATH", []string{"truth", "result"}},
			{"MODEL", []string{"model", "classifier"}},
			{"TIME", []string{"at"}},
		} {
			if slices.Contains(v.flags, f.Name) {
				return v.name, text
			}
		}
		return "NAME", text
	}
	return value, text
}

// isAdvanced reports whether only --help-all lists a flag.
func isAdvanced(f *pflag.Flag) bool {
	return slices.ContainsFunc(flagGroups, func(g flagGroup) bool { return slices.Contains(g.flags, f.Name) })
}

// helpCall returns the command line that lists all flags of a command.
func helpCall(fs *pflag.FlagSet) string {
	flag := " --help"
	fs.VisitAll(func(f *pflag.Flag) {
		if isAdvanced(f) {
			flag = " --" + helpAll
		}
	})
	if fs.Name() == commands()[0].name {
		return "carve" + flag
	}
	return "carve " + fs.Name() + flag
}

// asksForHelp reports whether an argument requests the help of the program.
func asksForHelp(arg string) bool {
	return slices.Contains([]string{"-h", "-help", "--help", "--" + helpAll}, arg)
}

func runHelp(args []string, stdout, _ io.Writer) error {
	all := len(args) == 1 && args[0] == "--"+helpAll
	if len(args) > 0 && !asksForHelp(args[0]) {
		c, ok := findCommand(args[0])
		switch {
		case !ok:
			return unknownCommand(args[0])
		case c.name != "help":
			return c.run(append(slices.Clone(args[1:]), "--help"), stdout, io.Discard)
		}
	}
	fmt.Fprint(stdout, segmentHelp(all))
	return nil
}

func unknownCommand(name string) error {
	return ui.WithHint(ui.Usagef("unknown command %q", name),
		ui.DidYouMean(name, commandNames(), "an input is given with -i; the commands are: "+strings.Join(commandNames(), ", ")))
}

// commandsHelp lists the commands.
func commandsHelp() string {
	var b strings.Builder
	b.WriteString("Commands:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-9s %s\n", c.name, c.short)
	}
	b.WriteString("  \"carve COMMAND --help\" describes each command.\n")
	return b.String()
}

func segmentHelp(all bool) string {
	var o segmentOptions
	text := `carve - segment objects in videos by name

Usage:
  carve -i IN -q NAME [-q NAME…] -o OUT.mp4
  carve -i IN --queries FILE -o OUT.mp4
  carve --job FILE.yaml
  carve COMMAND …

` + flagsHelp(newSegmentFlags(&o), all) + `
Queries:
  dog                        a name, which outputs show
  "pup=puppy|small dog"      a label with several phrases, which are averaged
  A file has one query per line (# starts a comment), or is a YAML list of
  entries with label, phrases, background, theta, presence, colour.
`
	if all {
		text += `
Devices:
` + devicesHelp()
	}
	return text + `
Examples:
  carve -i clip.mp4 -q dog -q "red frisbee" -o out.mp4
  carve -i clip.mov --queries things.yaml --preset coco -o out.mov
  carve -i photo.jpg -q person -q "red shirt" --overlap -o photo-both.png
  ffmpeg -i in.mp4 -c copy -f nut - | carve -i - -q dog -o - | ffplay -
  carve demo -o demo-out

` + commandsHelp() + "\n" + ui.ExitCodesHelp
}
