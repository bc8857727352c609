package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/video"
)

// outputsOf parses outputs.
func outputsOf(t *testing.T, outputs ...string) *segmentOptions {
	t.Helper()
	o := optionsOf(t)
	o.outputs = outputs
	if err := o.parseOutputs(); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestExpandOutputs: each concept gets a file of its own, whatever it is called, and text
// that is no place stays.
func TestExpandOutputs(t *testing.T) {
	for _, c := range []struct {
		output string
		labels []string // of the queries
		want   []string
	}{
		{"out.mp4", []string{"dog", "cat"}, []string{"out.mp4"}},
		{"{a} %d %06d {frame} {{x}} }{.mp4", []string{"dog"}, []string{"{a} %d %06d {frame} {{x}} }{.mp4"}},
		{"{name}-carved.mp4", []string{"dog"}, []string{"shot 1-carved.mp4"}},
		{"{{name}}{{concept}}.mp4", []string{"dog"}, []string{"{name}{concept}.mp4"}},
		{"overlay,concept=dog:{concept}.mp4", []string{"dog", "cat"}, []string{"dog.mp4"}},
		{"overlay,split=concept:{name}/{concept}.mp4", []string{"dog", "DOG", "d:g", "d?g"}, []string{"shot 1/dog.mp4", "shot 1/DOG-2.mp4", "shot 1/d_g.mp4", "shot 1/d_g-2.mp4"}},
		{"matte,split=concept:x{concept}.mov", []string{"../up", "a/b", "con", "{name}"}, []string{"x___up.mov", "xa_b.mov", "x_con.mov", "x_name_.mov"}},
		{"matte,split=concept:{concept}.mov", []string{"../up", "con"}, []string{"___up.mov", "_con.mov"}},
		{"matte,split=concept,concept=cat,concept=dog,concept=cat:{concept}.mov", []string{"dog", "cat", "pig"}, []string{"cat.mov", "dog.mov"}},
		{"sheet:{name}-{{name}}.png", []string{"dog"}, []string{"shot 1-{name}.png"}},
		{"strip,concept=cat:{name}.{concept}.jpg", []string{"dog", "cat"}, []string{"shot 1.cat.jpg"}},
		{"masks,split=concept:{name}/{concept}/%d.png", []string{"dog", "cat"}, []string{"{name}/{concept}/%d.png"}}, // it does this itself
	} {
		o := outputsOf(t, c.output)
		var queries []car.Query
		for _, label := range c.labels {
			queries = append(queries, car.Named(label))
		}
		o.expandOutputs(filepath.Join("in", "shot 1.mp4"), queries)
		var got []string
		for _, s := range o.specs {
			got = append(got, s.Path)
		}
		if !slices.Equal(got, c.want) || o.output != got[0] {
			t.Errorf("%s: %q, want %q", c.output, got, c.want)
		}
		if len(got) < 2 {
			continue
		}
		for i, s := range o.specs {
			if only := s.keys.concepts(); len(only) != 1 || s.Keys != any(s.keys) || c.labels[i] != only[0] && c.output != "matte,split=concept,concept=cat,concept=dog,concept=cat:{concept}.mov" {
				t.Errorf("%s: file %d is for %q", c.output, i, only)
			}
		}
	}
}

// TestMatteBudget: memory is planned for the frames of a matte, which may be larger than
// those of the source, and for each of its files.
func TestMatteBudget(t *testing.T) {
	source := video.Coded{Codec: "h264", Width: 1920, Height: 1080, Rate: video.Rational{Num: 25, Den: 1}}.In("yuv420p")
	planOf := func(outputs ...string) plan {
		o := outputsOf(t, outputs...)
		o.expandOutputs("in.mp4", []car.Query{car.Named("dog"), car.Named("cat")})
		b := o.budget(640, 2)
		b.target, b.limit, b.processors = 64<<30, 64<<30, 2
		if _, err := b.afford(source); err != nil {
			t.Fatal(err)
		}
		return b.plan
	}
	const pixels = 1920 * 1080
	for output, bytes := range map[string]int64{"matte:m.mov": 8, "matte:m.mkv": 1, "matte,bits=16:m.mkv": 2, "matte,codec=qtrle:m.mov": 4} {
		if p := planOf(output); p.encodings[0].encodes.Picture() != bytes*pixels || p.Picture() != pixels*3/2 {
			t.Errorf("%s: frames of %d bytes, those of the source have %d", output, p.encodings[0].encodes.Picture(), p.Picture())
		}
	}
	one, both := planOf("matte:m.mov"), planOf("matte,split=concept:{concept}.mov")
	if one.encodings[0].Encoder != "prores_ks" || one.encoder() < 3*8*pixels || both.encoder() != 2*one.encoder() || both.drawing() <= one.drawing() {
		t.Errorf("one matte takes %v, two %v", &one, &both)
	}
	if grey, cut := planOf("matte:m.mkv"), one; grey.drawing() >= cut.drawing() {
		t.Errorf("drawing in grey takes %d bytes, with the source's pixels %d", grey.drawing(), cut.drawing())
	}
	// Each output is planned as it is: no matte looks ahead as an overlay does.
	over, mixed := planOf("out.mp4"), planOf("out.mp4", "matte:m.mov", "overlay,layout=side:side.mkv")
	side := planOf("overlay,layout=side:side.mkv")
	if got, want := mixed.encoder(), over.encoder()+one.encoder()+side.encoder(); got != want {
		t.Errorf("the encoders of three outputs take %d bytes, alone %d", got, want)
	}
	masks := mixed
	masks.encodings = nil // what all outputs share
	if got, want := mixed.drawing(), over.drawing()+one.drawing()+side.drawing()-2*masks.drawing(); got != want {
		t.Errorf("drawing for three outputs takes %d bytes, alone %d", got, want)
	}
}

// TestEncoderBudgets: encoders get fewer threads and look less far ahead where they have most.
func TestEncoderBudgets(t *testing.T) {
	o := outputsOf(t, "out.mp4", "matte:m.mov")
	b := o.budget(640, 1)
	b.target, b.limit, b.processors = 64<<30, 0, 4
	coded := video.Coded{Codec: "h264", Width: 1920, Height: 1080, Rate: video.Rational{Num: 25, Den: 1}}.In("yuv420p")
	if _, err := b.afford(coded); err != nil || b.encoders["out.mp4"] != (video.Encoding{}) || b.encoders["m.mov"] != (video.Encoding{}) {
		t.Errorf("with plenty: %+v, %v", b.encoders, err)
	}
	whole := b.plan
	for b.plan.encodings[0].Threads > 5 { // all that is reduced before is
		b.target = b.plan.total() - 1
		if _, err := b.afford(coded); err != nil {
			t.Fatal(err)
		}
	}
	if b.encoders["out.mp4"].Threads != 5 || b.encoders["m.mov"] != (video.Encoding{}) || whole.encodings[0].Threads != 6 || whole.encodings[1].Threads != 4 {
		t.Errorf("with less: %+v, before %+v", b.encoders, whole.encodings)
	}
	b.target = 1
	if _, err := b.afford(coded); err != nil || b.encoders["out.mp4"] != (video.Encoding{Threads: 1, Lookahead: video.LeastLookahead}) || b.encoders["m.mov"] != (video.Encoding{Threads: 1}) {
		t.Errorf("with next to nothing: %+v, %v", b.encoders, err)
	}
}
