//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
)

// A text is a hostile text that a user could be led to use.
type text struct {
	name   string
	refuse bool // must be refused where YAML or names are expected
	data   func() []byte
}

func literal(s string) func() []byte { return func() []byte { return []byte(s) } }

func repeated(s string, n int) func() []byte {
	return func() []byte { return bytes.Repeat([]byte(s), n) }
}

// texts are whole files.
var texts = []text{
	{"empty", true, literal("")},
	{"spaces", true, literal("   \n\t\n  \n")},
	{"comments", true, repeated("# nothing\n", 1000)},
	{"brackets", true, repeated("[", 100_000)},
	{"more-brackets", true, repeated("[", 1<<20)},
	{"closed-brackets", true, func() []byte {
		return append(bytes.Repeat([]byte("["), 5000), bytes.Repeat([]byte("]"), 5000)...)
	}},
	{"braces", true, repeated("{a: ", 50_000)},
	{"json-objects", true, repeated(`{"a":`, 100_000)},
	{"dashes", true, repeated("- ", 50_000)},
	{"indents", true, staircase},
	{"alias-bomb", true, aliasBomb},
	{"self-alias", true, literal("&a [*a, *a]\n")},
	{"merge-bomb", true, mergeBomb},
	{"unknown-alias", true, literal("- *nobody\n")},
	{"tags", true, literal("- !!binary !!int !!map [x]\n- !!python/object/apply:os.system ['id']\n")},
	{"documents", true, repeated("---\n- dog\n", 5000)},
	{"directive", true, literal("%YAML 9.9\n%TAG ! tag:evil,2000:\n---\n- dog\n")},
	{"bad-utf8", true, literal("d\xffog\n- label: \xc3\x28\n")},
	{"overlong-utf8", true, literal("d\xc0\xafog\n")},
	{"surrogate", true, literal("d\xed\xa0\x80og\n")},
	{"utf16", true, utf16le},
	{"nul", true, literal("do\x00g\n")},
	{"escape", true, literal("- label: \"\x1b]0;owned\x07\x1b[2Jdog\"\n")},
	{"escape-in-line", true, literal("\x1b[2J\x1b]0;owned\x07dog\n")},
	{"escaped-escape", true, literal(`- label: "\x1b[2Jdog\r\0"` + "\n")},
	{"c1", true, literal("d\xc2\x9b2Jog\n")},
	{"carriage-returns", false, literal("dog\rcarve: done\r")},
	{"bom", false, literal("\xef\xbb\xbfdog\n")},
	{"boms", true, literal("\xef\xbb\xbf\xef\xbb\xbf\xef\xbb\xbfdog\n\xef\xbb\xbfcat\n")},
	{"bidi", false, literal("dog\u202e\u2066gpj.exe\n")},
	{"combining", false, func() []byte { return []byte("z" + strings.Repeat("\u0335", 5000) + "\n") }},
	{"long-line", true, func() []byte { return append(bytes.Repeat([]byte("dog "), 1<<18), '\n') }},
	{"line-of-70000", true, func() []byte {
		return []byte("a photo of {}.\n" + strings.Repeat("x", 70_000) + "\na picture of {}.\n")
	}},
	{"many-lines", true, func() []byte { return numbered("thing %d\n", 100_000) }},
	{"5001-lines", true, func() []byte { return numbered("thing %d\n", 5001) }},
	{"many-entries", true, func() []byte { return numbered("- label: thing %d\n", 20_000) }},
	{"same-lines", true, repeated("dog\n", 10_000)},
	{"large-comment", true, func() []byte { return append([]byte("# "), bytes.Repeat([]byte("x"), 2<<20)...) }},
	{"large-key", true, func() []byte { return append(bytes.Repeat([]byte("k"), 900_000), ": 1\n"...) }},
	{"same-keys", true, repeated("theta: 0.5\n", 1000)},
	{"quotes", true, repeated(`"`, 100_001)},
	{"block-scalar", true, literal("- label: |999999999\n   dog\n")},
	{"noise", true, noise},
	{"zip", true, literal("PK\x03\x04\x14\x00\x00\x00\x08\x00 not a list of things")},
	{"json-depth", true, func() []byte {
		return append(append([]byte(`{"videos":`), bytes.Repeat([]byte("["), 200_000)...), "]}\n"...)
	}},
	{"json-number", true, literal(`[{"video_id":1e999999,"category_id":1,"segmentations":[null]}]` + "\n")},
}

func staircase() []byte {
	var b bytes.Buffer
	for i := range 2000 {
		fmt.Fprintf(&b, "%*sa:\n", i, "")
	}
	return b.Bytes()
}

func aliasBomb() []byte {
	var b bytes.Buffer
	b.WriteString("a0: &a0 [dog, dog, dog, dog, dog, dog, dog, dog, dog]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8), i-1)
	}
	return b.Bytes()
}

func mergeBomb() []byte {
	var b bytes.Buffer
	b.WriteString("a0: &a0 {x: 1}\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&b, "a%d: &a%d {<<: [*a%d, *a%d], y%d: *a%d}\n", i, i, i-1, i-1, i, i-1)
	}
	return b.Bytes()
}

func utf16le() []byte {
	b := []byte{0xff, 0xfe}
	for _, r := range "- label: dog\n" {
		b = append(b, byte(r), 0)
	}
	return b
}

func numbered(format string, n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.Bytes()
}

func noise() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 64<<10)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// values replace one value in an otherwise valid file.
var values = []string{
	"1e999", "-1e999", ".nan", ".inf", "-.inf", "NaN", "-1", "0x7fffffffffffffff", "99999999999999999999999", "1.7976931348623157e308", "0.0000000000000000000001",
	"~", "!!float yes", "[]", "{}", "[[[[[[[[]]]]]]]]", "\"\\x1b[2J\"", "\"\\0\"", "'" + strings.Repeat("x", 60_000) + "'", "\"\\ud800\"", "&x *x", "true", "2000-01-01", "\"  \"",
}

// A carrier is a place where carve reads text.
type carrier struct {
	name         string
	file         string // file to write; empty: the text is an argument
	strict       bool   // what is to be refused must end with the usage exit code
	args         []string
	output       string
	extraOutputs []string
	fields       []string // valid files except for one value, at %s
}

var carriers = []carrier{
	{"queries.txt", "things.txt", true, cheapestImage("--queries", "things.txt"), "out.png", nil, nil},
	{"queries.yaml", "things.yaml", true, cheapestImage("--queries", "things.yaml"), "out.png", nil, []string{
		"- label: %s\n  phrases: [dog]\n", "- label: dog\n  phrases: [%s]\n", "- label: dog\n  theta: %s\n", "- label: dog\n  colour: %s\n"}},
	{"preset.yaml", "mine.yaml", true, []string{"presets", "mine.yaml"}, "", nil, []string{
		"base: stickers\ntheta: %s\n", "base: stickers\nprompts: %s\n", "base: stickers\nmax_side: %s\n", "base: stickers\nabout: %s\n",
		"base: stickers\ncrf: {iterations: %s, gaussian_sxy: 1, gaussian_compat: 1, bilateral_sxy: 1, bilateral_srgb: 1, bilateral_compat: 1}\n"}},
	{"templates.txt", "texts.txt", true, cheapestImage("-q", "dog", "--templates", "texts.txt"), "out.png", nil, nil},
	{"script.yaml", "film.yaml", false, []string{"clips", "--script", "film.yaml", "-o", "films"}, "", []string{"films/"}, []string{
		"width: %s\nheight: 90\nrate: 24\nframes: 2\nseed: 1\n", "width: 160\nheight: 90\nrate: %s\nframes: 2\nseed: 1\n", "width: 160\nheight: 90\nrate: 24\nframes: %s\nseed: 1\n",
		"width: 160\nheight: 90\nrate: 24\nframes: 2\nseed: 1\ntracks:\n- concept: dog\n  keys: [{t: 0, x: %s, y: 0.5, size: 0.3}]\n"}},
	{"argument", "", false, nil, "out.png", nil, nil},
	{"eval.json", "result.json", false, []string{"eval", "--result", "result.json", "--fps", "10"}, "", nil, []string{
		`[{"video_id":1,"category_id":1,"score":%s,"segmentations":[{"size":[2,2],"counts":[1,3]}]}]`,
		`[{"video_id":1,"category_id":1,"score":1,"segmentations":[{"size":[%s,2],"counts":[1,3]}]}]`,
		`[{"video_id":1,"category_id":1,"score":1,"segmentations":[{"size":[2,2],"counts":[%s]}]}]`,
		`{"videos":[{"id":1,"name":"v","width":2,"height":2,"length":%s}],"categories":[{"id":1,"name":"dog"}],"annotations":[]}`}},
	{"explain.jsonl", "why.jsonl", false, []string{"explain", "why.jsonl", "-o", "why.svg"}, "why.svg", nil, []string{
		`{"frame":0,"time_s":%s,"queries":[{"label":"dog"}]}` + "\n", `{"frame":0,"time_s":0,"queries":[{"label":%s}]}` + "\n"}},
}

// cheapestImage runs carve at its cheapest on one image.
func cheapestImage(more ...string) []string {
	return append([]string{"-i", "in.png", "-o", "out.png", "-m", "demo", "--offline", "--max-side", "64", "--threads", "1"}, more...)
}

// testImage is the input image.
func testImage() ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, 96, 64))
	for y := range 64 {
		for x := range 96 {
			img.Set(x, y, color.RGBA{uint8(2 * x), uint8(4 * y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

func textTrials(_ context.Context, _ *bench, share float64) ([]*trial, error) {
	var all []*trial
	for _, c := range carriers {
		n := 0
		add := func(about string, refuse bool, data func() []byte) {
			all = append(all, &trial{"texts", c.name, n, func(l *lab) (*experiment, error) { return c.attack(l, about, refuse, data()) }})
			n++
		}
		for _, t := range texts {
			add(t.name, t.refuse, t.data)
		}
		for i, value := range values {
			for j, field := range c.fields {
				if (i+j)%2 == 0 || strings.HasSuffix(c.file, ".json") { // half of them are enough
					add(fmt.Sprintf("%.40s in %.60q", value, field), false, literal(strings.Replace(field, "%s", value, 1)))
				}
			}
		}
	}
	return every(all, share), nil
}

// argumentLimit is the kernel's limit for one argument.
const argumentLimit = 100_000

func (c *carrier) attack(l *lab, about string, refuse bool, data []byte) (*experiment, error) {
	pic, err := testImage()
	if err == nil {
		err = l.write("in.png", pic)
	}
	if err != nil {
		return nil, err
	}
	x := &experiment{about: about, args: c.args, output: c.output, extraOutputs: c.extraOutputs, media: c.output == "out.png"}
	x.codes = []int{exitDone, exitFailed, exitUsage, exitLost}
	if c.file == "" {
		if bytes.IndexByte(data, 0) >= 0 {
			data = bytes.ReplaceAll(data, []byte{0}, []byte{1}) // an argument cannot hold NUL
		}
		x.args = cheapestImage("-q", string(data[:min(len(data), argumentLimit)]))
		return x, nil
	}
	if refuse && c.takes(about) {
		refuse = false
	}
	switch {
	case refuse && c.strict:
		x.codes = []int{exitUsage}
	case refuse:
		x.codes = []int{exitFailed, exitUsage}
	}
	if err := l.write(c.file, data); err != nil {
		return nil, err
	}
	return x, nil
}

// takes tells whether a text that is hostile elsewhere is harmless in a carrier: a list
// of names has no syntax, and a preset may be empty.
func (c *carrier) takes(about string) bool {
	plain := map[string]bool{
		"brackets": false, "dashes": false, "unknown-alias": true, "tags": true, "directive": true, "escaped-escape": true,
		"self-alias": true, "block-scalar": true, "zip": false, "json-number": true, "merge-bomb": true, "alias-bomb": true,
	}
	switch c.name {
	case "queries.txt", "templates.txt":
		return plain[about] || about == "boms" // the first is removed, the others are letters
	case "preset.yaml":
		return about == "empty" || about == "spaces" || about == "comments"
	}
	return false
}
