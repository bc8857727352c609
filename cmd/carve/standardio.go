package main

import (
	"os"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// Standard input and standard output. On the command line both are -.
const (
	stdinPath  = "/dev/stdin"
	stdoutPath = "/dev/stdout"
)

func isStdin(path string) bool {
	return slices.Contains([]string{stdinPath, "/dev/fd/0", "/proc/self/fd/0"}, path)
}

func isStdout(path string) bool {
	return slices.Contains([]string{stdoutPath, "/dev/fd/1", "/proc/self/fd/1"}, path)
}

// standardName returns the name of a path on the command line, if it is one of the two.
func standardName(path string) string {
	if path == stdinPath || path == stdoutPath {
		return "-"
	}
	return path
}

// checkStdin resolves - as the input. others are the other files that are read.
func (o *inputOptions) checkStdin(others ...string) error {
	if o.input == "-" {
		o.input = stdinPath
	}
	return stdinError(append(others, o.input), isStdin(o.input) && ui.IsTerminal(os.Stdin))
}

// stdinError finds what is wrong with files that may be standard input. terminal says that
// the video would be read from a terminal.
func stdinError(paths []string, terminal bool) error {
	readers := 0
	for _, path := range paths {
		if isStdin(path) {
			readers++
		}
	}
	switch {
	case readers > 1:
		return ui.WithHint(ui.Usagef("standard input is named twice, and can be read once"), "give one of them as a file")
	case terminal:
		return ui.WithHint(ui.Usagef("standard input is a terminal, which has no video"), "pipe one into carve: ffmpeg -i IN -c copy -f nut - | carve -i - …")
	}
	return nil
}

// formatKeys are the keys of an output that can be a stream.
type formatKeys struct {
	Format string `key:"format" doc:"container, for a path without the extension of one, such as a named pipe; - is matroska by default" values:"matroska|nut|yuv4mpegpipe|rawvideo"`
}

func (k *formatKeys) format() *string { return &k.Format }

// A streamOutput is the keys of an output that can go to standard output.
type streamOutput interface{ format() *string }

// format returns the format of an output, or "" if its path decides.
func (s *output) format() string {
	if keys, ok := s.keys.(streamOutput); ok {
		return *keys.format()
	}
	return ""
}

// resolveStream completes an output that goes to standard output, or whose frames are not
// compressed. encoder is the default of all outputs.
func (s *output) resolveStream(encoder string) error {
	keys, streams := s.keys.(streamOutput)
	if !streams {
		return nil
	}
	if s.Path == "-" {
		s.Path = stdoutPath
	}
	if *keys.format() == "" && isStdout(s.Path) {
		// Of the containers that need no seeking, most programs read this one, and it takes
		// most kinds of sound and subtitles.
		*keys.format() = "matroska"
	}
	if k, ok := s.keys.(flaggedOutput); ok && video.Bare(*keys.format()) && k.encoderFlags().Encoder == encoder {
		k.encoderFlags().Encoder = ""
	}
	return nil
}

func notToStdout(kind string) error {
	return ui.WithHint(ui.Usagef("%s cannot go to standard output", kind), "give a path; ./- is one of that name")
}

// checkStdout finds what is wrong with outputs that go to standard output. terminal says
// that it is one.
func (o *segmentOptions) checkStdout(terminal bool) error {
	encoded, writers := false, 0
	for _, path := range []string{o.explain, o.checkpoint} {
		if isStdout(path) {
			writers++
		}
	}
	for i := range o.specs {
		if isStdout(o.specs[i].Path) {
			encoded = true
			writers++
		}
	}
	switch {
	case !encoded:
		return nil
	case writers > 1:
		return ui.WithHint(ui.Usagef("standard output is named for two outputs"), "write one of them to a file or a named pipe")
	case o.progress == "json":
		return ui.WithHint(ui.Usagef("--progress json and a video cannot both go to standard output"),
			"--log-format json makes JSON of the messages on stderr; or give the video a pipe of its own: -o overlay,format=matroska:/dev/fd/3")
	case terminal:
		return ui.WithHint(ui.Usagef("standard output is a terminal, which cannot show a video"), "pipe it on: carve … -o - | ffplay -; or write to a file")
	}
	return nil
}

// formatHint says how to give a pipe the container that its name lacks.
func formatHint(path string) string {
	return "its name says no container; give one, as in -o " + ui.ShellQuote("overlay,format=matroska:"+path) + "; it can be " + strings.Join(video.Formats(), ", ")
}

// isPipe reports whether an input can be read only once, from its beginning on.
func isPipe(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && !fi.Mode().IsRegular()
}
