package stickers

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/carve-video/carve/internal/hostile"
)

// everything uses all fields of a script.
func everything() *Clip {
	return &Clip{
		About: "all there is", Width: 96, Height: 64, Rate: Rate{30000, 1001}, Frames: 60, Drop: .3, Seed: 9,
		Background: "clouds", Blur: .004, Grain: .02, Quality: 60, CRF: 30,
		Camera: []CameraKey{{T: 0}, {T: 1, X: .4, Y: -.1, Zoom: 1.5}, {T: 2, X: .2, Zoom: .8}},
		Cuts:   []Cut{{T: .7, Background: "plain"}, {T: 1.3, Background: "checks", Dissolve: .4}},
		Fades:  []Fade{{T: 1.6, Seconds: .4, Hold: .1, To: "white"}},
		Light:  []LightKey{{T: 0}, {T: 1, Exposure: -1, Contrast: 1.2, Colour: []float64{1.1, 1, .8}}},
		Tracks: []Track{
			{Concept: "dog", Variant: 1, Flip: true, Aspect: 1.2, Fade: .2, Gone: [][2]float64{{.4, .8}},
				Keys: []Key{{T: 0, X: .3, Y: .5, Size: .5, Turn: 10}, {T: 2, X: .6, Y: .5, Size: .4}}},
			{Concept: "pizza", Tone: &Tone{Contrast: .6, Grey: []float64{.7, .6, .5}}, Keys: []Key{{T: .5, X: .5, Y: .5, Size: .6}, {T: 1.9, X: .5, Y: .4, Size: .6}}},
		},
		Absent: []string{"car", "cat"},
	}
}

func TestScriptThereAndBack(t *testing.T) {
	c := everything()
	b, err := c.Script()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ReadClip(strings.NewReader(string(b)))
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if d := cmp.Diff(c, back, cmpopts.IgnoreUnexported(Clip{})); d != "" {
		t.Errorf("(-written +read)\n%s\n%s", d, b)
	}
}

const small = `width: 64
height: 48
rate: 25
frames: 10
seed: 1
tracks:
  - concept: dog
    keys:
      - {t: 0, x: .5, y: .5, size: .5}
      - {t: 1, x: .6, y: .5, size: .5}
`

// TestScriptErrors: an error names the line of the mistake.
func TestScriptErrors(t *testing.T) {
	if _, err := ReadClip(strings.NewReader(small)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"rate: 25", "rate: fast", "line 3: "},
		{"rate: 25", "rate: 0/0", "line 3: rate 0/0"},
		{"frames: 10", "frames: 0", "line 4: 0 frames"},
		{"seed: 1", "sed: 1", `line 5: unknown field "sed"`},
		{"concept: dog", "concept: dragon", `line 7: track 1: "dragon" is not a concept`},
		{"t: 1,", "t: 0,", "line 10: track 1: key 2: it is not later"},
		{"t: 1,", "t: .nan,", "line 10: track 1: key 2: NaN is out of range"},
		{"seed: 1", "seed: 1\nbackground: beach", `line 6: unknown background "beach"`},
		{"seed: 1", "seed: 1\nabsent: [cat, dog]", `line 6: absent: a track shows "dog"`},
		{"seed: 1", "seed: 1\nabsent: [cat, cat]", `line 6: absent: "cat" stands there twice`},
		{"seed: 1", "seed: 1\ncrf: 99", "line 6: crf is from 1 to 51"},
		{"seed: 1", "seed: 1\ndrop: 1", "line 6: drop is a chance"},
		{"seed: 1", "seed: 1\ncamera:\n  - {t: 0, x: 0, y: 0}\n  - {t: 0, x: 0, y: 0}", "line 8: camera key 2: it is not later"},
		{"seed: 1", "seed: 1\ncamera:\n  - {t: 0, x: 1e5, y: 0}", "line 7: the camera goes so far"},
		{"seed: 1", "seed: 1\ncuts:\n  - {t: 1, background: beach}", "line 7: cut 1: unknown background"},
		{"seed: 1", "seed: 1\nfades:\n  - {t: 1, seconds: 1, to: red}", `line 7: fade 1: it goes to "red"`},
		{"seed: 1", "seed: 1\nfades:\n  - {t: 1, seconds: 1, hold: 1}", "line 7: fade 1: it holds for longer"},
		{"seed: 1", "seed: 1\nlight:\n  - {t: 1, colour: [1, 2]}", "line 7: light key 1: colour is three"},
		{"    keys:", "    tone: {contrast: 0, grey: [1, 1, 1]}\n    keys:", "line 8: track 1: tone: contrast 0 is not"},
		{"    keys:", "    tone: {contrast: 1, grey: [1, 1]}\n    keys:", "line 8: track 1: tone: grey has 2 values"},
		{"    keys:", "    tone: {contrast: 1, grey: [1, 1, .nan]}\n    keys:", "line 8: track 1: tone: grey of NaN is not"},
		{"    keys:", "    gone: [[2, 1]]\n    keys:", "line 8: track 1: a time of absence"},
		{"seed: 1", "seed: 1\n---\n", "more than one document"},
		{"frames: 10", "frames: 1e99", "line 4: "},
		{"frames: 10", "frames: 1048577", "line 4: 1048577 frames: there must be from 1 to 1048576"},
		{"width: 64\nheight: 48\nrate: 25\nframes: 10", "width: 8192\nheight: 8192\nrate: 25\nframes: 1000", "line 4: 1000 frames of 8192x8192 are more than"},
		{"width: 64\nheight: 48\nrate: 25\nframes: 10", "width: 8192\nheight: 8192\nrate: 25\nframes: 1\ncuts: [{t: 1}, {t: 2}]", "line 5: 3 backgrounds of 8192x8192 pixels take too much memory"},
		{"width: 64\nheight: 48\nrate: 25\nframes: 10", "width: 8192\nheight: 8192\nframes: 1\nrate: 25\nblur: .01", "line 5: blur 0.01 is 82 pixels"},
		{"rate: 25", "rate: 1/16777216", "line 4: 10 frames at a rate of 1/16777216 last longer than 100000 seconds"},
		{"rate: 25", "rate: 16777216", "line 3: rate 16777216 is no number of frames a second, 1000 at most"},
		{"rate: 25", "rate: " + strings.Repeat("9", 99), "line 3: rate is no number of frames a second"},
		{"rate: 25", "rate: .inf", "line 3: rate .inf"},
		{"seed: 1", "seed: -1", "line 5: "},
		{"seed: 1", "seed: 1\nblur: .nan", "line 6: blur is a part"},
		{"seed: 1", "seed: 1\ngrain: .inf", "line 6: grain is"},
		{"seed: 1", "seed: 1\nquality: .nan", "line 6: quality is"},
		{"seed: 1", "seed: 1\ndrop: .nan", "line 6: drop is"},
		{"seed: 1", "seed: 1\nabout: \"a\\e[2J\"", "line 6: about: character 2 is the control character U+001B"},
		{"seed: 1", "seed: 1\nabout: " + strings.Repeat("x", 1001), "line 6: about has 1001 characters"},
		{"seed: 1", "seed: 1\n# \x00", "line 6, column 3: this is the control character U+0000"},
		{"size: .5}", "size: .inf}", "line 9: track 1: key 1: +Inf is out of range"},
	} {
		text := strings.Replace(small, c.old, c.new, 1)
		_, err := ReadClip(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
}

// TestHostileScripts: no text takes much time or memory, in any position.
func TestHostileScripts(t *testing.T) {
	texts := hostile.YAML(12 << 10)
	for name, text := range hostile.YAML(6 << 10) {
		texts[name+", in keys"] = small + "    gone:\n      " + strings.ReplaceAll(text, "\n", "\n      ")
		texts[name+", as a rate"] = strings.Replace(small, "25", text, 1)
	}
	// Very many keys, tracks and cuts.
	texts["keys"] = small + hostile.Counted("      - {t: 1%05d, x: 0, y: 0, size: 1}\n", 200<<10)
	texts["many keys"] = small + hostile.Counted("      - {t: 1%05d, x: 0, y: 0, size: 1}\n", 900<<10)
	texts["tracks"] = small + hostile.Counted("  - {concept: dog, keys: [{t: %d, x: 0, y: 0, size: 1}]}\n", 200<<10)
	texts["cuts"] = small + "cuts:\n" + hostile.Counted("  - {t: %d}\n", 200<<10)
	hostile.Usual.Hold(t, texts, func(text string) error {
		_, err := ReadClip(strings.NewReader(text))
		return err
	})
	for name, text := range hostile.Refused() {
		if _, err := ReadClip(strings.NewReader(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func initialized(t *testing.T, c *Clip) *Clip {
	t.Helper()
	if err := c.Initialize(); err != nil {
		t.Fatal(err)
	}
	return c
}

// still is a dog in the centre of an image in which nothing changes.
func still() *Clip {
	return &Clip{Width: 96, Height: 64, Rate: Rate{10, 1}, Frames: 20, Seed: 3, Background: "plain",
		Tracks: []Track{{Concept: "dog", Keys: []Key{{T: 0, X: .5, Y: .5, Size: .6}, {T: 2, X: .5, Y: .5, Size: .6}}}}}
}

func area(tr *Truth, name string) (n int) {
	for _, there := range tr.Mask(name) {
		if there {
			n++
		}
	}
	return n
}

// TestDroppedFrames: the remaining frames have the same images and times.
func TestDroppedFrames(t *testing.T) {
	all := initialized(t, still())
	c := still()
	c.Drop = .5
	initialized(t, c)
	if c.Len() >= all.Len() || c.Len() < 5 {
		t.Fatalf("%d of %d frames are left", c.Len(), all.Len())
	}
	if c.Tick(0) != 0 || c.Tick(c.Len()-1) != c.Frames-1 || c.Seconds(c.Len()) != 2 {
		t.Errorf("from %d to %d, %v s long", c.Tick(0), c.Tick(c.Len()-1), c.Seconds(c.Len()))
	}
	for n := range c.Len() {
		got, _ := c.Frame(n)
		want, _ := all.Frame(c.Tick(n))
		if !slices.Equal(got.Pix, want.Pix) {
			t.Errorf("frame %d is not frame %d of all", n, c.Tick(n))
		}
	}
}

// TestCamera: an object moves right in the image when the camera moves left, and its
// area grows with the square of the zoom.
func TestCamera(t *testing.T) {
	c := still()
	c.Camera = []CameraKey{{T: 0}, {T: 1, X: .25}, {T: 1.9, X: .25, Zoom: 2}}
	initialized(t, c)
	middle := func(tr *Truth) float64 {
		sum, n := 0, 0
		for i, there := range tr.Mask("dog") {
			if there {
				sum, n = sum+i%tr.W, n+1
			}
		}
		return float64(sum) / float64(n)
	}
	_, rest := c.Frame(0)
	_, moved := c.Frame(10)
	if d := middle(rest) - middle(moved); math.Abs(d-.25*64) > .5 {
		t.Errorf("the camera moves by 16 pixels, the dog by %.1f", d)
	}
	if a, b := area(rest, "dog"), area(moved, "dog"); math.Abs(float64(a-b)) > .02*float64(a) {
		t.Errorf("moving the camera changes the dog from %d to %d pixels", a, b)
	}
	c.Camera = []CameraKey{{T: 0}, {T: 1, Zoom: 1.4}}
	initialized(t, c)
	_, near := c.Frame(10)
	if r := float64(area(near, "dog")) / float64(area(rest, "dog")); math.Abs(r-1.96) > .1 {
		t.Errorf("1.4 times nearer the dog is %.2f times as large", r)
	}
	// The background moves as well.
	bare := &Clip{Width: 96, Height: 64, Rate: Rate{10, 1}, Frames: 20, Seed: 3, Background: "clouds", Camera: []CameraKey{{T: 0}, {T: 1, X: .25}}}
	initialized(t, bare)
	a, _ := bare.Frame(0)
	b, _ := bare.Frame(10)
	for y := range 64 {
		for x := range 80 {
			if a.RGBAAt(x+16, y) != b.RGBAAt(x, y) {
				t.Fatalf("at %d,%d the background did not move with the camera", x, y)
			}
		}
	}
}

// TestCut: the background changes within one frame, or over several.
func TestCut(t *testing.T) {
	c := still()
	c.Tracks = nil
	c.Cuts = []Cut{{T: .5, Background: "checks"}, {T: 1.5, Background: "plain", Dissolve: .6}}
	initialized(t, c)
	var last []uint8
	var changed []int
	for n := range c.Len() {
		img, _ := c.Frame(n)
		if last != nil && !slices.Equal(img.Pix, last) {
			changed = append(changed, n)
		}
		last = img.Pix
	}
	// The dissolve begins after frame 12 and ends in frame 18.
	if want := []int{5, 13, 14, 15, 16, 17, 18}; !slices.Equal(changed, want) {
		t.Errorf("the picture changes in frames %v, want %v", changed, want)
	}
}

// TestFade: a hidden object is absent, a dim one is ignored.
func TestFade(t *testing.T) {
	c := still()
	c.Fades = []Fade{{T: 1, Seconds: 1, Hold: .2}}
	initialized(t, c)
	for n := range c.Len() {
		img, tr := c.Frame(n)
		share := c.Fades[0].share(c.Seconds(n))
		present, ignored := slices.Contains(tr.Present(), "dog"), slices.Contains(tr.Ignored, "dog")
		if present != (share <= fadeDims) || ignored != (share > fadeDims && share < fadeHides) || present != (area(tr, "dog") > 0) {
			t.Errorf("frame %d, %.2f black: present %v, ignored %v, %d pixels", n, share, present, ignored, area(tr, "dog"))
		}
		if black := slices.Max(img.Pix[:3]) == 0; black != (share > .999) {
			t.Errorf("frame %d, %.2f black: corner %v", n, share, img.Pix[:3])
		}
	}
	// A sticker with its own fade.
	d := still()
	d.Tracks[0].Fade = .5
	initialized(t, d)
	_, first := d.Frame(0)
	_, third := d.Frame(2)
	_, full := d.Frame(10)
	if len(first.Present())+len(first.Ignored) != 0 || !slices.Contains(third.Ignored, "dog") || !slices.Contains(full.Present(), "dog") {
		t.Errorf("fading in: %v/%v, %v/%v, %v", first.Present(), first.Ignored, third.Present(), third.Ignored, full.Present())
	}
}

func TestGone(t *testing.T) {
	c := still()
	c.Tracks[0].Gone = [][2]float64{{.5, 1}}
	initialized(t, c)
	for n := range c.Len() {
		_, tr := c.Frame(n)
		if got, want := area(tr, "dog") > 0, n < 5 || n >= 10; got != want {
			t.Errorf("frame %d: there is %v", n, got)
		}
	}
}

func TestLight(t *testing.T) {
	c := still()
	c.Light = []LightKey{{T: 0}, {T: 1, Exposure: -1}, {T: 1.5, Colour: []float64{1, 1, 0}}}
	initialized(t, c)
	corner := func(n int) []uint8 {
		img, _ := c.Frame(n)
		return img.Pix[:3]
	}
	day, dark, yellow := corner(0), corner(10), corner(15)
	for k := range day {
		if math.Abs(float64(day[k])/2-float64(dark[k])) > 1 {
			t.Errorf("a stop less of %v is %v", day, dark)
		}
	}
	if yellow[2] != 0 || yellow[0] != day[0] {
		t.Errorf("without blue %v is %v", day, yellow)
	}
}

// TestTwoOfAKind: two tracks of a concept share one label.
func TestTwoOfAKind(t *testing.T) {
	c := still()
	c.Tracks = append(c.Tracks, c.Tracks[0])
	c.Tracks[1].Keys = []Key{{T: 0, X: .7, Y: .5, Size: .4}, {T: 2, X: .7, Y: .5, Size: .4}}
	_, tr := initialized(t, c).Frame(0)
	var labels, tracks [4]int
	for i := range tr.Labels {
		labels[tr.Labels[i]]++
		tracks[tr.Tracks[i]]++
	}
	if labels[2] != 0 || tracks[1] == 0 || tracks[2] == 0 || tracks[3] != 0 || tracks[1]+tracks[2] > labels[1] || tracks[1]+tracks[2] < labels[1]-20 {
		t.Errorf("labels %v, tracks %v", labels, tracks)
	}
}

func TestSomeFrameOfEverything(t *testing.T) {
	c := initialized(t, everything())
	if c.Len() == c.Frames {
		t.Error("no frame was dropped")
	}
	for n := 0; n < c.Len(); n += 5 {
		if img, tr := c.Frame(n); img.Rect.Dx() != 96 || len(tr.Labels) != 96*64 || len(tr.Tracks) != 96*64 {
			t.Errorf("frame %d: %v, %d labels", n, img.Rect, len(tr.Labels))
		}
	}
}

// TestTone: a tone changes the colours of a sticker and nothing else.
func TestTone(t *testing.T) {
	c, err := ReadClip(strings.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	plain, truth := c.Frame(5)
	c.Tracks[0].Tone = &Tone{Contrast: .5, Grey: []float64{.9, .9, .9}}
	pale, same := c.Frame(5)
	if !slices.Equal(truth.Labels, same.Labels) || !slices.Equal(truth.Tracks, same.Tracks) {
		t.Error("the truth depends on the tone")
	}
	brighter, inside := 0, 0
	for i, l := range truth.Labels {
		a, b := plain.Pix[4*i:4*i+3], pale.Pix[4*i:4*i+3]
		switch {
		case l != 0:
			inside++
			if int(b[0])+int(b[1])+int(b[2]) > int(a[0])+int(a[1])+int(a[2]) {
				brighter++
			}
		case truth.Tracks[i] == 0 && same.Tracks[i] == 0 && !nearLabel(truth.Labels, i, plain.Rect.Dx()) && !slices.Equal(a, b):
			t.Fatalf("pixel %d outside is another", i)
		}
	}
	if inside == 0 || brighter*10 < inside*9 {
		t.Errorf("of %d pixels %d are brighter in a pale tone", inside, brighter)
	}
}

// nearLabel reports whether a pixel or one beside it has a label.
func nearLabel(labels []uint8, i, w int) bool {
	for _, d := range []int{-w - 1, -w, -w + 1, -1, 0, 1, w - 1, w, w + 1} {
		if k := i + d; k >= 0 && k < len(labels) && labels[k] != 0 {
			return true
		}
	}
	return false
}
