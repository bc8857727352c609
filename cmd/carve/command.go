package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/cstderr"
	"github.com/carve-video/carve/internal/guard"
	"github.com/carve-video/carve/internal/ui"
)

// A command is one command of the program.
type command struct {
	name  string
	short string // one line for the list of commands
	run   func(args []string, stdout, stderr io.Writer) error
}

// commands returns the commands in the order of the help. The first one runs if none is
// named. It is a function because the help command uses it.
func commands() []command {
	return []command{
		{"segment", "segment named objects in a video or an image (the default)", runSegment},
		{"try", "segment one image or frame, and show every stage, score and reason", runTry},
		{"explain", "draw the file of --explain: when each query was present, and why", runExplain},
		{"models", "list, show, download, import and check models", runModels},
		{"presets", "list and print the presets", runPresets},
		{"outputs", "list the kinds of outputs, and what each can be told", runOutputs},
		{"runtime", "list and download ONNX Runtime, for the CPU or for NVIDIA GPUs", runRuntime},
		{"eval", "measure masks against the ground truth, or only their flicker", runEval},
		{"clips", "make clips with known ground truth, to measure with", runClips},
		{"bench", "measure the speed, as a share of what the machine can do", runBench},
		{"doctor", "check what works, what is missing and how to fix it", runDoctor},
		{"demo", "segment the built-in clip with the built-in model", runDemo},
		{"version", "print the versions of carve and of its libraries", runVersion},
		{"help", "print this text, or the help of a command", runHelp},
	}
}

// run runs a command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	format := logFormatOf(args)
	cstderr.Form(format == "json")
	out, errs := ui.NewConsole(stdout, false), ui.NewConsole(stderr, format == "json")
	code := runCommand(args, out, errs, format)
	out.Flush()
	errs.Flush()
	return code
}

// runCommand finds the command and runs it.
func runCommand(args []string, stdout, stderr io.Writer, format string) int {
	cmd := commands()[0]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		found, ok := findCommand(args[0])
		if !ok {
			return ui.Report(stderr, format == "json", unknownCommand(args[0]))
		}
		cmd, args = found, args[1:]
	} else if len(args) == 1 && (args[0] == "--version" || args[0] == "-version") {
		cmd, args = command{run: runVersion}, nil
	} else if len(args) == 1 && asksForHelp(args[0]) {
		cmd = command{run: runHelp}
	} else if len(args) == 0 {
		runHelp(nil, stderr, stderr)
		return ui.ExitUsage
	}
	err := guard.Run(func() error { return cmd.run(args, stdout, stderr) })
	cstderr.Flush() // messages of libraries about it come first
	if err == nil && cmd.name != "segment" && cmd.name != "demo" {
		// The output of these commands is their result; that of the others is only progress.
		if err = ui.WriteError(stdout); err != nil {
			err = fmt.Errorf("writing to standard output: %w", err)
			if writesFiles(args) {
				err = ui.LostError{What: []string{err.Error()}} // but its output files are complete
			}
		}
	}
	printStack(stderr, err)
	return ui.Report(stderr, format == "json", err)
}

// writesFiles reports whether a command line names an output.
func writesFiles(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		return a == "--output" || strings.HasPrefix(a, "--output=") || strings.HasPrefix(a, "-o")
	})
}

func findCommand(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func commandNames() []string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

// parse parses args with a flag set. If they request help, it prints the help to stdout
// and returns [ui.ErrHelp]; any mistake is a usage error with a hint.
func parse(fs *pflag.FlagSet, args []string, help func(all bool) string, stdout io.Writer) error {
	if err := checkDashes(fs, args); err != nil {
		return err
	}
	all := fs.Bool(helpAll, false, "")
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	err := fs.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp), err == nil && *all:
		fmt.Fprint(stdout, help(*all))
		return ui.ErrHelp
	case err != nil:
		return flagError(fs, err)
	}
	return nil
}

// logFormatOf finds --log-format before the flags are parsed, because an error in the
// flags must already have that format. As with all flags, the last one counts.
func logFormatOf(args []string) (format string) {
	for i, a := range args {
		if a == "--" {
			break
		}
		if v, ok := strings.CutPrefix(a, "--log-format="); ok {
			format = v
		}
		if a == "--log-format" && i+1 < len(args) {
			format = args[i+1]
		}
	}
	return format
}
