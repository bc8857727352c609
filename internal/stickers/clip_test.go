package stickers

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/strictyaml"
)

func crossing() *Clip {
	return &Clip{
		Width: 160, Height: 96, Rate: Rate{24000, 1001}, Frames: 30, Seed: 5, Grain: .01, Quality: 80,
		Tracks: []Track{
			{Concept: "dog", Keys: []Key{{T: 0, X: .5, Y: .5, Size: .6}}},
			{Concept: "pizza", Keys: []Key{{T: .2, X: -.3, Y: .5, Size: .4}, {T: .6, X: .3, Y: .5, Size: .4}, {T: 1.0, X: 1.4, Y: .5, Size: .4, Turn: 90}}},
		},
		Absent: []string{"car"},
	}
}

func TestClipFramesStandAlone(t *testing.T) {
	a, b := crossing(), crossing()
	for _, c := range []*Clip{a, b} {
		if err := c.Initialize(); err != nil {
			t.Fatal(err)
		}
	}
	b.Frame(3)
	first, truth := a.Frame(20)
	second, again := b.Frame(20)
	if !bytes.Equal(first.Pix, second.Pix) || !bytes.Equal(truth.Labels, again.Labels) {
		t.Error("frame 20 depends on what was drawn before")
	}
	if !slices.Equal(a.Concepts(), []string{"dog", "pizza"}) || !slices.Equal(a.Queries(), []string{"dog", "pizza", "car"}) {
		t.Errorf("concepts %q, queries %q", a.Concepts(), a.Queries())
	}
}

// TestTrackPath: a track passes through its keys without jumps, and exists only from
// its first key to its last.
func TestTrackPath(t *testing.T) {
	tr := crossing().Tracks[1]
	for _, k := range tr.Keys {
		p, ok := tr.at(k.T, 160, 96)
		if !ok || math.Abs(p.X-k.X*160) > 1e-9 || math.Abs(p.Y-k.Y*96) > 1e-9 || math.Abs(p.Size-k.Size*96) > 1e-9 || math.Abs(p.Rotation-k.Turn*math.Pi/180) > 1e-9 {
			t.Errorf("at %v: %+v, %v", k.T, p, ok)
		}
	}
	for _, sec := range []float64{.1999, 1.0001} {
		if _, ok := tr.at(sec, 160, 96); ok {
			t.Errorf("there at %v", sec)
		}
	}
	last, _ := tr.at(.2, 1, 1)
	step := math.NaN()
	for i := 1; i <= 800; i++ {
		p, _ := tr.at(.2+float64(i)/1000, 1, 1)
		d := p.X - last.X
		if math.Abs(d-step) > 1e-4 { // the speed has no jumps either
			t.Fatalf("at %v the step changes from %v to %v", .2+float64(i)/1000, step, d)
		}
		step, last = d, p
	}
	one := crossing().Tracks[0]
	if p, ok := one.at(0, 160, 96); !ok || p.X != 80 {
		t.Errorf("one key: %+v, %v", p, ok)
	}
}

func TestClipTruthComesAndGoes(t *testing.T) {
	c := crossing()
	c.Tracks[0].Keys = append(c.Tracks[0].Keys, Key{T: 9, X: .5, Y: .5, Size: .6})
	if err := c.Initialize(); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for n := range c.Frames {
		_, tr := c.Frame(n)
		if s := strings.Join(tr.Present(), "+"); len(seen) == 0 || seen[len(seen)-1] != s {
			seen = append(seen, s)
		}
	}
	if want := []string{"dog", "dog+pizza", "dog"}; !slices.Equal(seen, want) {
		t.Errorf("present: %q, want %q", seen, want)
	}
}

func TestClipRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Clip){
		"no size":            func(c *Clip) { c.Width = 0 },
		"no rate":            func(c *Clip) { c.Rate.Den = 0 },
		"no frames":          func(c *Clip) { c.Frames = 0 },
		"negative grain":     func(c *Clip) { c.Grain = -1 },
		"unknown background": func(c *Clip) { c.Background = "beach" },
		"unknown concept":    func(c *Clip) { c.Tracks[0].Concept = "unicorn" },
		"unknown variant":    func(c *Clip) { c.Tracks[0].Variant = 9 },
		"no keys":            func(c *Clip) { c.Tracks[0].Keys = nil },
		"keys out of order":  func(c *Clip) { c.Tracks[1].Keys[2].T = .5 },
		"no size of a key":   func(c *Clip) { c.Tracks[1].Keys[1].Size = 0 },
		"negative aspect":    func(c *Clip) { c.Tracks[1].Aspect = -1 },
		"absent is shown":    func(c *Clip) { c.Absent = []string{"dog"} },
		"absent unknown":     func(c *Clip) { c.Absent = []string{"unicorn"} },
	} {
		c := crossing()
		spoil(c)
		if err := c.Initialize(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzReadClip: a script is either refused or can be drawn.
func FuzzReadClip(f *testing.F) {
	for _, c := range []*Clip{crossing(), everything()} {
		b, err := c.Script()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"width":16,"height":16,"rate":1,"frames":1,"tracks":[{"concept":"dog","keys":[{"t":0,"x":1e300,"y":-1e300,"size":1e300}]}]}`))
	f.Add([]byte(`{"width":16,"height":16,"rate":1,"frames":1,"tracks":[{"concept":"dog","keys":[{"t":0,"x":1e5,"y":-1e5,"size":1e5},{"t":1e-9,"x":-1e5,"size":1e5}]}]}`))
	f.Add([]byte(`{"width":99999}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var size struct {
			Width, Height, Frames int
			Camera                []any
		}
		if strictyaml.DecodeSome(b, &size) == nil && (size.Width*size.Height > 1<<16 || size.Frames > 1000 || len(size.Camera) > 0) {
			t.Skip("what is large only costs time, and a camera makes it large")
		}
		c, err := ReadClip(bytes.NewReader(b))
		if err != nil {
			return
		}
		img, tr := c.Frame(c.Len() - 1)
		if img.Rect.Dx() != c.Width || len(tr.Labels) != c.Width*c.Height {
			t.Errorf("%dx%d drawn as %v with %d labels", c.Width, c.Height, img.Rect, len(tr.Labels))
		}
	})
}

func TestSound(t *testing.T) {
	c := crossing()
	if err := c.Initialize(); err != nil {
		t.Fatal(err)
	}
	b := c.Sound()
	if want := 44 + 4*60060; len(b) != want { // 30 frames of 1001/24000 s
		t.Errorf("%d bytes, want %d", len(b), want)
	}
	if string(b[:4]) != "RIFF" || int(binary.LittleEndian.Uint32(b[4:])) != len(b)-8 || int(binary.LittleEndian.Uint32(b[40:])) != len(b)-44 {
		t.Error("header does not fit the data")
	}
	// The pizza enters from the left, so its note is louder there at first.
	loud := func(from, to float64, side int) (sum float64) {
		for s := int(from * SoundRate); s < int(to*SoundRate); s++ {
			v := float64(int16(binary.LittleEndian.Uint16(b[44+4*s+2*side:])))
			sum += v * v
		}
		return sum
	}
	if l, r := loud(.4, .55, 0), loud(.4, .55, 1); l <= r {
		t.Errorf("left %.0f, right %.0f while the pizza is on the left", l, r)
	}
	if l, r := loud(.72, .85, 0), loud(.72, .85, 1); l >= r {
		t.Errorf("left %.0f, right %.0f while the pizza is on the right", l, r)
	}
}

func TestStrip(t *testing.T) {
	c := crossing()
	c.Frames = 13 // more than one row
	if err := c.Initialize(); err != nil {
		t.Fatal(err)
	}
	var album Album
	var truths []*Truth
	for n := range c.Frames {
		_, tr := c.Frame(n)
		truths = append(truths, tr)
		album.Add(tr)
	}
	strip, err := Strip(truths)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Unstrip(strip, c.Width, c.Height, &album)
	if err != nil {
		t.Fatal(err)
	}
	for n, tr := range truths {
		if !bytes.Equal(back[n].Labels, tr.Labels) || !slices.Equal(back[n].Names, tr.Names) || !slices.Equal(back[n].Present(), album.Frames[n].Present) {
			t.Errorf("frame %d came back different", n)
		}
	}
	if _, err := Unstrip(strip, c.Width, c.Height+1, &album); err == nil {
		t.Error("wrong height: no error")
	}
	truths[4] = &Truth{W: 1, H: 1}
	if _, err := Strip(truths); err == nil {
		t.Error("frames of two sizes: no error")
	}
}

func BenchmarkFrame(b *testing.B) {
	c := crossing()
	c.Width, c.Height = 640, 360
	if err := c.Initialize(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c.Frame(12)
	}
}
