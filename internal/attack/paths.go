//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A trap is a folder and a command line that leads to a file that carve must not touch.
// Every trap holds in.png, in.mp4, other.mp4 and notes.txt of the user's.
type trap struct {
	about   string
	prepare func(l *lab) error // prepares what else is there; nil for nothing
	args    string             // separated by spaces, or
	words   []string           // if a word has spaces or special characters

	output       string   // the output that it names
	extraOutputs []string // and other files that it is told to write
	replaces     []string // files of the user that it is told to replace
	codes        []int    // nil for any

	during func(l *lab) func(context.Context, *process)
}

// Abbreviations for command lines.
const (
	onImage = "-q dog -m demo --offline --max-side 64 --threads 1 -i in.png "
	onVideo = "-q dog -m demo --offline --max-side 64 --threads 1 --memory off --encoder-preset ultrafast -i in.mp4 "
)

var (
	works   = []int{exitDone, exitLost}
	refuses = []int{exitFailed, exitUsage}
)

func links(pairs ...string) func(*lab) error {
	return func(l *lab) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := os.Symlink(pairs[i], l.path(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	}
}

func hardLink(of, name string) func(*lab) error {
	return func(l *lab) error { return os.Link(l.path(of), l.path(name)) }
}

func files(names ...string) func(*lab) error {
	return func(l *lab) error {
		for _, name := range names {
			if err := l.write(name, []byte("the user's own\n")); err != nil {
				return err
			}
		}
		return nil
	}
}

func folder(name string, mode os.FileMode) func(*lab) error {
	return func(l *lab) error {
		return errors.Join(os.Mkdir(l.path(name), 0o755), os.Chmod(l.path(name), mode))
	}
}

func pipe(name string) func(*lab) error {
	return func(l *lab) error { return unix.Mkfifo(l.path(name), 0o644) }
}

// drain reads a pipe for as long as the run lasts.
func drain(name string) func(*lab) func(context.Context, *process) {
	return func(l *lab) func(context.Context, *process) {
		return func(_ context.Context, p *process) {
			f, err := os.OpenFile(l.path(name), os.O_RDWR|unix.O_NONBLOCK, 0) // does not wait for a writer
			if err != nil {
				return
			}
			read := make(chan struct{})
			go func() {
				defer close(read)
				io.Copy(io.Discard, f)
			}()
			<-p.ended
			f.Close()
			<-read
		}
	}
}

// feed writes a text into a pipe once it has a reader.
func feed(name, text string) func(*lab) func(context.Context, *process) {
	return func(l *lab) func(context.Context, *process) {
		return func(ctx context.Context, p *process) {
			for {
				f, err := os.OpenFile(l.path(name), os.O_WRONLY|unix.O_NONBLOCK, 0)
				if err == nil {
					io.WriteString(f, text)
					f.Close()
					return
				}
				if p.over(ctx) {
					return
				}
				p.wait(ctx, 20*time.Millisecond)
			}
		}
	}
}

// small is a folder on a file system of its own that is full.
func small(name string) func(*lab) error {
	return func(l *lab) error {
		path := l.path(name)
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("none", path, "tmpfs", 0, "size=4k,nr_inodes=16"); err != nil {
			return fmt.Errorf("mounting a small disk (%w): %w", errSkip, err)
		}
		l.undo = append(l.undo, func() { unix.Unmount(path, unix.MNT_DETACH) })
		return os.WriteFile(filepath.Join(path, "fills-it"), make([]byte, 4<<10), 0o644)
	}
}

// full is a device that is always full, linked into the folder.
func full(name string) func(*lab) error {
	return func(l *lab) error {
		if err := unix.Mknod(l.path(name), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 7))); err != nil {
			return fmt.Errorf("making a device (%w): %w", errSkip, err)
		}
		return nil
	}
}

// inputTraps lead to the input.
var inputTraps = []trap{
	{about: "the output is the input", args: onVideo + "-o in.mp4 -y", codes: refuses},
	{about: "the output is the input by another path", args: onVideo + "-o ./././in.mp4 -y", codes: refuses},
	{about: "the output is a link to the input", prepare: links("in.mp4", "l.mp4"), args: onVideo + "-o l.mp4 -y", codes: refuses},
	{about: "the output is a link to a link to the input", prepare: links("in.mp4", "k.mp4", "k.mp4", "l.mp4"), args: onVideo + "-o l.mp4 -y", codes: refuses},
	{about: "the output is a hard link of the input", prepare: hardLink("in.mp4", "h.mp4"), args: onVideo + "-o h.mp4 -y", codes: refuses},
	{about: "the explanation is the input", args: onVideo + "-o out.mp4 --explain in.mp4 -y", codes: refuses},
	{about: "the explanation is a link to the input", prepare: links("in.mp4", "l.jsonl"), args: onVideo + "-o out.mp4 --explain l.jsonl -y", codes: refuses},
	{about: "the explanation is a hard link of the input", prepare: hardLink("in.mp4", "h.jsonl"), args: onVideo + "-o out.mp4 --explain h.jsonl -y", codes: refuses},
	{about: "the explanation is the file of queries", prepare: files("things.txt"), args: onVideo + "--queries things.txt -o out.mp4 --explain things.txt -y", codes: refuses},
	{about: "the output is the file of queries", prepare: files("things.png"), args: onImage + "--queries things.png -o things.png -y", codes: refuses},
	{about: "the output is the file of templates", prepare: files("texts.png"), args: onImage + "--templates texts.png -o texts.png -y", codes: refuses},
	{about: "the explanation is the output", args: onVideo + "-o out.mp4 --explain out.mp4 -y", codes: refuses},
	{about: "the explanation is a link to the output", prepare: links("out.mp4", "l.jsonl"), args: onVideo + "-o out.mp4 --explain l.jsonl -y", codes: refuses},
	{about: "the explanation and the output are hard links", prepare: hardLink("other.mp4", "h.jsonl"), args: onVideo + "-o other.mp4 --explain h.jsonl -y", codes: refuses},
	{about: "try writes its input", args: "try in.png -q dog -m demo --offline --max-side 64 -o in.png -y", codes: refuses},
	{about: "try writes a link to its input", prepare: links("in.png", "l.png"), args: "try in.png -q dog -m demo --offline --max-side 64 -o l.png -y", codes: refuses},
	{about: "try writes a hard link of its input", prepare: hardLink("in.png", "h.png"), args: "try in.png -q dog -m demo --offline --max-side 64 -o h.png -y", codes: refuses},
	{about: "explain draws over what it reads", prepare: explanation, args: "explain why.jsonl -o why.jsonl -y", codes: refuses},
	{about: "explain draws over a link to what it reads", prepare: both(explanation, links("why.jsonl", "l.svg")), args: "explain why.jsonl -o l.svg -y", codes: refuses},
	{about: "clips are written into their script", prepare: files("film.yaml"), args: "clips --script film.yaml -o film.yaml -y", codes: refuses},
}

// userTraps lead to other files of the user.
var userTraps = []trap{
	{about: "the output is there already", args: onVideo + "-o other.mp4", codes: refuses},
	{about: "the output is there already and may be replaced", args: onVideo + "-o other.mp4 -y", output: "other.mp4", codes: works},
	{about: "the explanation is there already", args: onVideo + "-o out.mp4 --explain notes.txt", codes: refuses},
	{about: "try's picture is there already", prepare: files("a.png"), args: "try in.png -q dog -m demo --offline -o a.png", codes: refuses},
	{about: "the user has an explanation's .part", prepare: files("why.jsonl.part"), args: onVideo + "-o out.mp4 --explain why.jsonl", output: "out.mp4", extraOutputs: []string{"why.jsonl"}, codes: works},
	{about: "the user has an output's .part", prepare: files("out.mp4.part", ".out.part.mp4", "out.part.mp4", ".out.mp4.part", "out.mp4.tmp", "out.mp4~"), args: onVideo + "-o out.mp4", output: "out.mp4", codes: works},
	{about: "the user has a plot's .part", prepare: both(explanation, files("why.svg.part", "why.svg.tmp")), args: "explain why.jsonl -o why.svg", output: "why.svg", codes: works},
	{about: "the output is a link to another file", prepare: links("other.mp4", "l.mp4"), args: onVideo + "-o l.mp4 -y", replaces: []string{"l.mp4", "other.mp4"}, codes: works},
	{about: "the output is a link to another file, without -y", prepare: links("other.mp4", "l.mp4"), args: onVideo + "-o l.mp4", codes: refuses},
	{about: "the output is a dangling link", prepare: links("gone.mp4", "l.mp4"), args: onVideo + "-o l.mp4 -y", extraOutputs: []string{"gone.mp4"}, replaces: []string{"l.mp4"}},
	{about: "the output is a dangling link, without -y", prepare: links("gone.mp4", "l.mp4"), args: onVideo + "-o l.mp4", extraOutputs: []string{"gone.mp4"}, replaces: []string{"l.mp4"}},
	{about: "the output links into a folder that is not there", prepare: links("nowhere/gone.mp4", "l.mp4"), args: onVideo + "-o l.mp4 -y", codes: refuses},
	{about: "the output is a link to itself", prepare: links("l.mp4", "l.mp4"), args: onVideo + "-o l.mp4 -y", replaces: []string{"l.mp4"}},
	{about: "the explanation is a dangling link", prepare: links("gone.jsonl", "l.jsonl"), args: onVideo + "-o out.mp4 --explain l.jsonl -y", output: "out.mp4", extraOutputs: []string{"gone.jsonl"}, replaces: []string{"l.jsonl"}},
	{about: "the output is a folder", prepare: folder("d.mp4", 0o755), args: onVideo + "-o d.mp4 -y", codes: refuses},
	{about: "the explanation is a folder", prepare: folder("d", 0o755), args: onVideo + "-o out.mp4 --explain d -y", codes: refuses},
	{about: "the explanation's folder is not there", args: onVideo + "-o out.mp4 --explain nowhere/why.jsonl", codes: refuses},
	{about: "the output's folder is not there", args: onVideo + "-o nowhere/out.mp4", codes: refuses},
	{about: "the output's folder is a file", args: onVideo + "-o notes.txt/out.mp4 -y", codes: refuses},
	{about: "the input is a folder", prepare: folder("d", 0o755), args: "-q dog -m demo --offline -i d -o out.mp4", codes: refuses},
	{about: "clips go into a folder with the user's files", prepare: files("films/birthday.mp4"), args: "clips --script film.yaml -o films", codes: refuses},
	{about: "clips go where there is one of that name", prepare: both(script, files("films/film/clip.mp4")), args: "clips --script film.yaml -o films", codes: refuses},
	{about: "eval's results are there already", prepare: files("r.jsonl"), args: "eval run --dataset clips --root . -m demo --offline -o r.jsonl", codes: refuses},
	{about: "eval's results are the user's notes", args: "eval run --dataset clips --root . -m demo --offline -o notes.txt", codes: refuses},
}

// deviceTraps lead to something that is not a regular file.
var deviceTraps = []trap{
	{about: "the output is a pipe", prepare: pipe("p.mkv"), during: drain("p.mkv"), args: onVideo + "-o p.mkv -y"},
	{about: "the explanation is a pipe", prepare: pipe("p"), during: drain("p"), args: onVideo + "-o out.mp4 --explain p -y", output: "out.mp4"},
	{about: "the queries are a pipe", prepare: pipe("things.txt"), during: feed("things.txt", "cat\n"), args: onImage + "--queries things.txt -o out.png", output: "out.png", codes: works},
	{about: "the output's disk is full", prepare: small("d"), args: onVideo + "-o d/out.mp4", codes: refuses},
	{about: "the explanation's disk is full", prepare: small("d"), args: onVideo + "-o out.mp4 --explain d/why.jsonl", codes: refuses},
	{about: "the picture's disk is full", prepare: small("d"), args: onImage + "-o d/out.png", codes: refuses},
	{about: "the output's folder may not be written in", prepare: folder("d", 0o555), args: onVideo + "-o d/out.mp4", extraOutputs: []string{"d/out.mp4"}},
	{about: "the output is a full device", prepare: full("full.mp4"), args: onVideo + "-o full.mp4 -y", codes: refuses},
	{about: "the explanation is a full device", prepare: full("full"), args: onVideo + "-o out.mp4 --explain full -y", codes: refuses},
	{about: "try's picture is a full device", prepare: full("full.png"), args: "try in.png -q dog -m demo --offline --max-side 64 -o full.png -y", codes: refuses},
	{about: "the plot is a full device", prepare: both(explanation, full("full.svg")), args: "explain why.jsonl -o full.svg -y", codes: refuses},
	{about: "the queries never end", args: onImage + "--queries /dev/zero -o out.png", codes: refuses},
	{about: "the preset never ends", prepare: links("/dev/zero", "mine.yaml"), args: onImage + "--preset mine.yaml -o out.png", codes: refuses},
	{about: "the templates never end", args: onImage + "--templates /dev/zero -o out.png", codes: refuses},
	{about: "the script never ends", prepare: links("/dev/zero", "film.yaml"), args: "clips --script film.yaml -o films", codes: refuses},
	{about: "what is to be explained never ends", args: "explain /dev/zero -o why.svg", codes: refuses},
	{about: "the masks never end", prepare: links("/dev/zero", "r.json"), args: "eval --result r.json", codes: refuses},
	{about: "the input never ends", args: "-q dog -m demo --offline -i /dev/zero -o out.mp4", codes: refuses},
}

// nameTraps have special characters in names.
var nameTraps = []trap{
	{about: "a colon", words: to("a:b.mp4"), output: "a:b.mp4", codes: works},
	{about: "a name like a protocol", words: to("file:x.mp4"), extraOutputs: []string{"file:x.mp4", "x.mp4"}},
	{about: "a pattern", words: to("out%d.mp4"), output: "out%d.mp4", codes: works},
	{about: "a pattern for a picture", args: onImage + "-o out%d.png", output: "out%d.png", codes: works},
	{about: "a pattern for a picture with a width", args: onImage + "-o %03d.png", output: "%03d.png", codes: works},
	{about: "another pattern", words: to("%s%n%x.mp4"), output: "%s%n%x.mp4", codes: works},
	{about: "a new line", words: to("a\nb.mp4"), output: "a\nb.mp4"},
	{about: "a title for the terminal", words: to("\x1b]0;owned\x07.mp4"), output: "\x1b]0;owned\x07.mp4"},
	{about: "invalid UTF-8", words: to("\xff\xfe.mp4"), output: "\xff\xfe.mp4"},
	{about: "a dash", words: to("-out.mp4"), output: "-out.mp4"},
	{about: "a space", words: to(" .mp4"), output: " .mp4"},
	{about: "a dot alone", words: to(".mp4"), output: ".mp4"},
	{about: "255 bytes", words: to(strings.Repeat("x", 251) + ".mp4"), output: strings.Repeat("x", 251) + ".mp4"},
	{about: "300 bytes", words: to(strings.Repeat("x", 296) + ".mp4"), codes: refuses},
	{about: "5,000 bytes", words: to(strings.Repeat("x/", 2500) + "out.mp4"), codes: refuses},
	{about: "an input with a title", prepare: hardLink("in.mp4", "\x1b]0;owned\x07.mp4"), words: from("\x1b]0;owned\x07.mp4"), output: "out.mp4"},
	{about: "an input that is not there, with a title", words: from("\x1b]0;owned\x07gone.mp4"), codes: refuses},
	{about: "an input with a secret", words: from("rtsp://user:topsecret@127.0.0.1:1/x"), codes: refuses},
	{about: "a model with a secret", words: strings.Fields("-i in.png -q dog -o out.png --offline -m https://user:topsecret@127.0.0.1/x"), codes: refuses},
	{about: "an output with a secret", words: to("rtmp://user:topsecret@127.0.0.1:1/x.mp4"), codes: refuses},
	{about: "an input that is a list of files", prepare: list("ffconcat version 1.0\nfile other.mp4\n"), words: from("list.mp4"), codes: refuses},
	{about: "an input that is a playlist", prepare: list("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n"), words: from("list.mp4"), codes: refuses},
	{about: "an input that names a host", prepare: list("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"), words: from("list.mp4"), codes: refuses},
	{about: "a video in a container that is none", words: to("out.txt"), codes: refuses},
	{about: "ffv1 in .ts", words: append(to("out.ts"), "--encoder", "ffv1"), codes: refuses},
	{about: "rawvideo in .png", words: append(strings.Fields(onImage), "-o", "out.png", "--encoder", "rawvideo"), codes: refuses},
	{about: "gif in .avi", words: append(to("out.avi"), "--encoder", "gif"), codes: refuses},
}

func to(out string) []string {
	return append(strings.Fields(onVideo), "-o", out)
}

func from(in string) []string {
	return append(strings.Fields("-q dog -m demo --offline --max-side 64 --threads 1 --memory off -o out.mp4"), "-i", in)
}

func list(text string) func(*lab) error {
	return func(l *lab) error { return l.write("list.mp4", []byte(text)) }
}

func both(a, b func(*lab) error) func(*lab) error {
	return func(l *lab) error { return errors.Join(a(l), b(l)) }
}

func explanation(l *lab) error {
	return l.write("why.jsonl", []byte(`{"frame":0,"time_s":0,"queries":[{"label":"dog"}]}`+"\n"))
}

func script(l *lab) error {
	return l.write("film.yaml", []byte("width: 64\nheight: 48\nrate: 10\nframes: 2\nseed: 1\ntracks:\n- concept: dog\n  keys: [{t: 0, x: 0.5, y: 0.5, size: 0.4}]\n"))
}

func pathTrials(ctx context.Context, b *bench, share float64) ([]*trial, error) {
	clip, err := b.makeSound(ctx, format{"paths.mp4", clipFrames, "-map 0:v -c:v libx264 -g 4"})
	if err != nil {
		return nil, err
	}
	var all []*trial
	for _, g := range []struct {
		name  string
		traps []trap
	}{{"input", inputTraps}, {"user", userTraps}, {"device", deviceTraps}, {"name", nameTraps}} {
		for n, t := range g.traps {
			all = append(all, &trial{"paths", g.name, n, func(l *lab) (*experiment, error) { return t.set(l, clip.data) }})
		}
	}
	return every(all, share), nil
}

func (t *trap) set(l *lab, clip []byte) (*experiment, error) {
	pic, err := testImage()
	if err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{"in.png": pic, "in.mp4": clip, "other.mp4": clip, "notes.txt": []byte("what the user wrote\n")} {
		if err := l.write(name, data); err != nil {
			return nil, err
		}
	}
	if t.prepare != nil {
		if err := t.prepare(l); err != nil {
			return nil, err
		}
	}
	x := &experiment{about: t.about, args: t.words, output: t.output, extraOutputs: t.extraOutputs, replaces: t.replaces, codes: t.codes}
	if t.during != nil {
		x.during = t.during(l)
	}
	if t.args != "" {
		x.args = strings.Fields(t.args)
	}
	x.media = filepath.Ext(t.output) == ".mp4" || filepath.Ext(t.output) == ".png"
	x.judge = func(_ context.Context, _ *lab, o *outcome) []finding {
		if strings.Contains(string(o.stdout)+string(o.stderr), "topsecret") {
			return []finding{newFinding(other, "a password was printed")}
		}
		return nil
	}
	return x, nil
}
