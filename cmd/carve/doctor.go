package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/ui"
)

// doctorOptions is what the command line of "carve doctor" says.
type doctorOptions struct {
	modelOptions
	json bool
}

func newDoctorFlags(o *doctorOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("doctor", pflag.ContinueOnError)
	fs.BoolVar(&o.json, "json", false, "print one JSON object on stdout")
	o.modelOptions.addFlags(fs)
	return fs
}

func doctorHelp(all bool) string {
	var o doctorOptions
	return `carve doctor - check what works, what is missing and how to fix it

Usage:
  carve doctor [--json] [-m MODEL]

Checks the machine, FFmpeg, ONNX Runtime, the models and the caches. It tests
encoders and devices by using them. Finally it segments one frame of the
built-in clip with the given models. It downloads nothing.

  ok       present, and it works
  missing  not present
  fails    present, but it does not work
  info     for information; no action is needed

Exit code 0 means that a video can be segmented here with these models. Lines
with missing or fails about anything else do not change it.

` + flagsHelp(newDoctorFlags(&o), all) + `
Examples:
  carve doctor
  carve doctor -m demo          with the built-in model, which needs no download
  carve doctor --device cuda    check whether the GPU can be used
`
}

func runDoctor(args []string, stdout, stderr io.Writer) error {
	var o doctorOptions
	fs := newDoctorFlags(&o)
	if err := parse(fs, args, doctorHelp, stdout); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return ui.WithHint(ui.Usagef("unexpected argument %q", fs.Arg(0)), "a model is given with -m")
	}
	if err := o.check(); err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	d := &doctor{options: &o, stderr: stderr}
	if !o.json {
		d.stdout = stdout
	}
	d.examine(ctx)
	if ctx.Err() != nil {
		return ui.InterruptedError{}
	}
	if o.json {
		line, err := json.Marshal(diagnosis{MessageType: "doctor", OK: d.blocker == nil, Items: d.items})
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s\n", line)
	}
	return d.verdict()
}

// The status of an item. These words are part of the JSON.
const (
	statusOK      = "ok"
	statusMissing = "missing"
	statusFails   = "fails"
	statusInfo    = "info"
)

// A diagnosis is what --json prints.
type diagnosis struct {
	MessageType string `json:"message_type"`
	OK          bool   `json:"ok"` // a video can be segmented
	Items       []item `json:"items"`
}

// An item is the result of one check.
type item struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Version string `json:"version,omitempty"`
	Detail  string `json:"detail,omitempty"`
	Hint    string `json:"hint,omitempty"` // what to do about it
}

// The sections in the order of the report, as they are called in JSON.
const (
	sectionMachine  = "machine"
	sectionFFmpeg   = "ffmpeg"
	sectionEncoders = "encoders"
	sectionDecoders = "decoders"
	sectionHardware = "hardware_decoding"
	sectionRuntime  = "onnx_runtime"
	sectionModels   = "models"
	sectionCache    = "cache"
	sectionJob      = "job"
)

var sectionTitles = map[string]string{
	sectionMachine:  "Machine",
	sectionFFmpeg:   "FFmpeg",
	sectionEncoders: "Encoders",
	sectionDecoders: "Decoders",
	sectionHardware: "Hardware decoding (carve decodes on the CPU)",
	sectionRuntime:  "ONNX Runtime",
	sectionModels:   "Models",
	sectionCache:    "Cache",
	sectionJob:      "Segmenting one frame",
}

// A doctor runs the checks one after the other. It prints each result at once, since some
// checks take seconds.
type doctor struct {
	options *doctorOptions
	stdout  io.Writer // nil if everything is printed at the end
	stderr  io.Writer
	items   []item
	blocker error // the first problem that prevents segmenting a video
}

// examine runs all checks, whatever failed before.
func (d *doctor) examine(ctx context.Context) {
	for _, check := range []func(context.Context){
		d.machine, d.ffmpeg, d.encoders, d.decoders, d.hardware, d.runtime, d.models, d.caches, d.job,
	} {
		if ctx.Err() != nil {
			return
		}
		check(ctx)
	}
}

// add adds an item, and prints it unless the report is JSON.
func (d *doctor) add(i item) {
	i.Name, i.Detail, i.Hint = ui.OneLine(i.Name), ui.OneLine(i.Detail), ui.OneLine(i.Hint)
	newSection := len(d.items) == 0 || d.items[len(d.items)-1].Section != i.Section
	first := len(d.items) == 0
	d.items = append(d.items, i)
	d.clear()
	if d.stdout == nil {
		return
	}
	if newSection {
		if !first {
			fmt.Fprintln(d.stdout)
		}
		fmt.Fprintln(d.stdout, sectionTitles[i.Section])
	}
	head := fmt.Sprintf("  %-7s  %-22s  ", i.Status, i.Name)
	for n, line := range ui.Wrap(strings.TrimSpace(i.Version+"  "+i.Detail), reportWidth-utf8.RuneCountInString(head)) {
		if n > 0 {
			head = strings.Repeat(" ", utf8.RuneCountInString(head))
		}
		fmt.Fprintln(d.stdout, strings.TrimRight(head+line, " "))
	}
	if i.Hint != "" {
		for _, line := range ui.Wrap(i.Hint, reportWidth-hintIndent) {
			fmt.Fprintln(d.stdout, strings.Repeat(" ", hintIndent)+line)
		}
	}
}

// The report is made for common terminals, and for pasting it into issues. Hints are
// below the names.
const (
	reportWidth = 100
	hintIndent  = 11
)

// addBlocker adds an item without which a video cannot be segmented.
func (d *doctor) addBlocker(i item, err error) {
	i.Hint = ui.Hint(err)
	d.add(i)
	d.setBlocker(err)
}

// setBlocker notes a problem that prevents segmenting a video. The first one counts.
func (d *doctor) setBlocker(err error) {
	if d.blocker == nil {
		d.blocker = err
	}
}

// busy shows on a terminal what is being done; the next item clears it.
func (d *doctor) busy(what string) {
	if ui.IsTerminal(d.stderr) {
		ui.Overwrite(d.stderr, what+"…")
	}
}

func (d *doctor) clear() {
	if ui.IsTerminal(d.stderr) {
		ui.Overwrite(d.stderr, "")
	}
}

// verdict returns the error of the command. It is never a usage error, whatever the kind
// of the blocker.
func (d *doctor) verdict() error {
	if d.blocker == nil {
		return nil
	}
	return ui.WithHint(fmt.Errorf("nothing can be segmented here: %s", ui.OneLine(d.blocker.Error())), ui.Hint(d.blocker))
}

// discardLog returns a log that prints nothing, because the report says the same.
func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
