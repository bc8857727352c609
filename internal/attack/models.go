//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/carve-video/carve/models/demo"
)

// A hostileModel is a folder or a file that a user might download. Most are the demo
// model with one change.
type hostileModel struct {
	name   string
	refuse bool // nothing of it may be used
	file   bool // a model.pt instead of a folder
	make   func(l *lab, dir string) error
}

// modelVerbs are the ways of using a model, taken in turn.
var modelVerbs = []string{"segment", "import", "show"}

func modelTrials(_ context.Context, b *bench, share float64) ([]*trial, error) {
	var all []*trial
	add := func(group string, list []hostileModel) {
		for n, m := range list {
			verbs := []string{modelVerbs[n%len(modelVerbs)]}
			if m.refuse {
				verbs = modelVerbs[:2]
			}
			for _, verb := range verbs {
				all = append(all, &trial{"models", group, len(all), func(l *lab) (*experiment, error) { return m.attack(l, verb) }})
			}
		}
	}
	add("config", append(hostileConfigs(), hostileFiles("config.json")...))
	add("vocabulary", append(append(hostileVocabularies(), hostileFiles("vocab.json")...), hostileFiles("merges.txt")...))
	add("weights", append(hostileWeights(), hostileFiles("model.safetensors")...))
	add("pickle", hostilePickles())
	archives, err := damagedArchives()
	if err != nil {
		b.say("left out: damaged .pt files: %v", err)
	}
	add("archive", archives)
	return every(all, share), nil
}

func (m *hostileModel) attack(l *lab, verb string) (*experiment, error) {
	at := "model"
	if m.file {
		at = "model.pt"
	}
	pic, err := testImage()
	if err == nil {
		err = l.write("in.png", pic)
	}
	if err == nil && !m.file {
		err = copyDemo(l.path(at))
	}
	if err == nil {
		err = m.make(l, l.path(at))
	}
	if err != nil {
		return nil, err
	}
	x := &experiment{about: m.name, codes: []int{exitDone, exitFailed, exitUsage}}
	switch verb {
	case "segment":
		x.output, x.media = "out.png", true
		x.args = []string{"-i", "in.png", "-o", x.output, "-q", "dog", "-m", "./" + at, "--offline", "--max-side", "64", "--threads", "1"}
	case "import":
		x.args = []string{"models", "import", "./" + at, "--name", "hostile"}
	case "show":
		x.args = []string{"models", "show", "./" + at}
	}
	if m.refuse {
		x.codes = []int{exitFailed, exitUsage}
	}
	return x, nil
}

func copyDemo(dir string) error { return os.CopyFS(dir, demo.FS) }

// hostileConfigs change one number of config.json each, or replace the file.
func hostileConfigs() (list []hostileModel) {
	numbers := []any{0, -1, 1 << 20, int64(1) << 31, int64(math.MaxInt64), json.Number("1e308"), json.Number("1e999"), "77", nil, []int{1}, missing{}}
	fields := map[string][]string{
		"":              {"projection_dim", "logit_scale_init_value"},
		"text_config":   {"hidden_size", "num_attention_heads", "num_hidden_layers", "max_position_embeddings", "vocab_size", "eos_token_id", "hidden_act"},
		"vision_config": {"hidden_size", "num_attention_heads", "num_hidden_layers", "image_size", "patch_size", "layer_norm_eps"},
	}
	n := 0
	for _, section := range []string{"", "text_config", "vision_config"} {
		for _, field := range fields[section] {
			for i, value := range numbers {
				if n++; i < 5 && (n+i)%2 == 0 || i >= 5 && (n+i)%7 == 0 { // large numbers do most harm
					list = append(list, hostileModel{name: fmt.Sprintf("config.json: %s %s is %v", section, field, value),
						make: func(_ *lab, dir string) error { return changeConfig(dir, section, field, value) }})
				}
			}
		}
	}
	return list
}

// missing stands for a field that is removed.
type missing struct{}

func changeConfig(dir, section, field string, value any) error {
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config map[string]any
	if err := json.Unmarshal(data, &config); err != nil {
		return err
	}
	part := config
	if section != "" {
		part = config[section].(map[string]any)
	}
	if _, out := value.(missing); out {
		delete(part, field)
	} else {
		part[field] = value
	}
	if data, err = json.Marshal(config); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// replace rewrites one file of the folder.
func replace(file string, data func() []byte) func(*lab, string) error {
	return func(_ *lab, dir string) error { return os.WriteFile(filepath.Join(dir, file), data(), 0o644) }
}

func hostileVocabularies() []hostileModel {
	return []hostileModel{
		{"vocab.json: no words", false, false, replace("vocab.json", literal("{}"))},
		{"vocab.json: one word", false, false, replace("vocab.json", literal(`{"a":0}`))},
		{"vocab.json: negative numbers", false, false, replace("vocab.json", literal(`{"a":-1,"b":-9223372036854775808}`))},
		{"vocab.json: huge numbers", false, false, replace("vocab.json", literal(`{"a":9223372036854775807,"b":1e300,"dog</w>":2147483648}`))},
		{"vocab.json: the same number twice", false, false, replace("vocab.json", literal(`{"a":0,"b":0,"d":0,"o":0,"g</w>":0}`))},
		{"vocab.json: text for numbers", false, false, replace("vocab.json", literal(`{"a":"0","b":null}`))},
		{"vocab.json: a list", false, false, replace("vocab.json", literal(`["a","b"]`))},
		{"vocab.json: control characters", false, false, replace("vocab.json", literal(`{"\u001b[2J":0,"\u0000":1}`))},
		{"merges.txt: no merges", false, false, replace("merges.txt", literal("#version: 0.2\n"))},
		{"merges.txt: one word a line", false, false, replace("merges.txt", repeated("a\n", 1000))},
		{"merges.txt: many words a line", false, false, replace("merges.txt", repeated("a b c d\n", 1000))},
		{"merges.txt: the same pair", false, false, replace("merges.txt", repeated("d o\n", 100_000))},
		{"merges.txt: a long line", false, false, replace("merges.txt", repeated("a", 5<<20))},
		{"merges.txt: control characters", false, false, replace("merges.txt", literal("\x1b[2J x\n\x00 \x00\n"))},
		{"merges.txt: a million pairs", false, false, replace("merges.txt", func() []byte { return numbered("a%d b\n", 1_000_000) })},
	}
}

// hostileFiles replace a file by something else.
func hostileFiles(file string) []hostileModel {
	special := func(name string, put func(l *lab, path string) error) hostileModel {
		return hostileModel{name: file + ": " + name, refuse: true, make: func(l *lab, dir string) error {
			path := filepath.Join(dir, file)
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return put(l, path)
		}}
	}
	content := func(name string, data func() []byte) hostileModel {
		return special(name, func(_ *lab, path string) error { return os.WriteFile(path, data(), 0o644) })
	}
	link := func(to string) func(*lab, string) error {
		return func(_ *lab, path string) error { return os.Symlink(to, path) }
	}
	return []hostileModel{
		special("a link to /dev/zero", link("/dev/zero")),
		special("a link to itself", link(file)),
		special("a folder", func(_ *lab, path string) error { return os.Mkdir(path, 0o755) }),
		special("a pipe", func(_ *lab, path string) error { return unix.Mkfifo(path, 0o644) }),
		special("16 GB of nothing", func(_ *lab, path string) error {
			return errors.Join(os.WriteFile(path, []byte("{"), 0o644), os.Truncate(path, 16<<30))
		}),
		content("noise", noise),
		content("brackets", repeated("[", 1<<20)),
		content("objects", repeated(`{"a":`, 1<<18)),
	}
}

// damagedArchives are PyTorch's own files, with bytes changed inside an entry, which
// the checksum reveals, or damaged anywhere.
func damagedArchives() (list []hostileModel, err error) {
	files, err := filepath.Glob(filepath.Join(sharedDir(), "goldens", "models", "*", "*.pt"))
	if err == nil && len(files) == 0 {
		err = errors.New("there are none in " + sharedDir())
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(filepath.Base(path), ".pt")
		for n := range 6 {
			list = append(list, hostileModel{fmt.Sprintf("%s: bytes of an entry changed, %d", base, n), true, true, func(l *lab, to string) error {
				mutant, err := corruptEntry(l.Rand, data)
				return errors.Join(err, os.WriteFile(to, mutant, 0o644))
			}})
		}
		for n := range 10 {
			list = append(list, hostileModel{fmt.Sprintf("%s: %s", base, mutators[n].name), false, true, func(l *lab, to string) error {
				mutant, _ := mutate(l.Rand, n, data)
				return os.WriteFile(to, mutant, 0o644)
			}})
		}
	}
	return list, nil
}
