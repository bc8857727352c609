//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sharedDir is the folder of files beside the repository.
func sharedDir() string {
	if dir := os.Getenv("CARVE_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "shared")
}

// caseTrials are files that carve once handled wrongly: damaged ones, each of which has
// a loss, and sound ones of unusual kinds, which have none.
func caseTrials(_ context.Context, b *bench, share float64) ([]*trial, error) {
	var all []*trial
	for _, group := range []string{"damaged", "video"} {
		dir := filepath.Join(sharedDir(), "cases", group)
		files, err := os.ReadDir(dir)
		if err != nil {
			b.say("left out: the cases that once went wrong: %v", err)
			continue
		}
		for n, f := range files {
			all = append(all, &trial{"cases", group, n, func(l *lab) (*experiment, error) {
				return tryCase(l, filepath.Join(dir, f.Name()), group == "damaged")
			}})
		}
	}
	return every(all, share), nil
}

func tryCase(l *lab, path string, damaged bool) (*experiment, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	in := "in" + filepath.Ext(path)
	if err := l.write(in, data); err != nil {
		return nil, err
	}
	x := &experiment{about: filepath.Base(path), output: "out.mkv", media: true, codes: []int{exitDone, exitFailed, exitLost}}
	x.args = cheapest(in, x.output)
	x.judge = func(ctx context.Context, l *lab, o *outcome) []finding {
		says := strings.Contains(string(o.stderr), "damaged") || strings.Contains(string(o.stderr), "missing")
		switch {
		case damaged && o.code == exitDone:
			return []finding{newFinding(loss, "exit code 0 of %s", x.about)}
		case !damaged && (o.code == exitFailed || o.code == exitLost && says):
			return []finding{newFinding(other, "%s is sound, and ended with exit code %d: %s", x.about, o.code, firstLine(o.stderr))}
		}
		return nil
	}
	return x, nil
}

// cheapest has the cheapest settings with which carve still runs all its stages. The
// query stays whatever the models say, so that there is a mask to refine and draw.
func cheapest(in, out string) []string {
	args := []string{"-i", in, "-o", out, "-q", "dog", "-m", "demo", "--offline", "--theta", "0", "--presence", "0", "--memory", "off", "--max-side", "64", "--threads", "1"}
	if !slices.Contains([]string{".png", ".jpg"}, filepath.Ext(out)) {
		args = append(args, "--encoder-preset", "ultrafast")
	}
	return args
}
