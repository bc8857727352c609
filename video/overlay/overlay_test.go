package overlay

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// formats has one format of each kind that decoders return, by FFmpeg's name.
var formats = map[string]Format{
	"gray":        {Components: comps(1, 8)},
	"gray10le":    {Components: comps(1, 10)},
	"yuv420p":     {Components: comps(3, 8), Log2ChromaW: 1, Log2ChromaH: 1},
	"yuvj420p":    {Components: comps(3, 8), Log2ChromaW: 1, Log2ChromaH: 1, FullRange: true},
	"yuv422p":     {Components: comps(3, 8), Log2ChromaW: 1},
	"yuv440p":     {Components: comps(3, 8), Log2ChromaH: 1},
	"yuv411p":     {Components: comps(3, 8), Log2ChromaW: 2},
	"yuv444p":     {Components: comps(3, 8)},
	"yuv420p10le": {Components: comps(3, 10), Log2ChromaW: 1, Log2ChromaH: 1},
	"yuv420p10be": {Components: comps(3, 10), Log2ChromaW: 1, Log2ChromaH: 1, BigEndian: true},
	"yuv422p12le": {Components: comps(3, 12), Log2ChromaW: 1},
	"yuv444p16le": {Components: comps(3, 16)},
	"yuva444p":    {Components: comps(4, 8)},
	"nv12":        {Components: []Component{{0, 1, 0, 0, 8}, {1, 2, 0, 0, 8}, {1, 2, 1, 0, 8}}, Log2ChromaW: 1, Log2ChromaH: 1},
	"p010le":      {Components: []Component{{0, 2, 0, 6, 10}, {1, 4, 0, 6, 10}, {1, 4, 2, 6, 10}}, Log2ChromaW: 1, Log2ChromaH: 1},
	"yuyv422":     {Components: []Component{{0, 2, 0, 0, 8}, {0, 4, 1, 0, 8}, {0, 4, 3, 0, 8}}, Log2ChromaW: 1},
	"rgb24":       {Components: []Component{{0, 3, 0, 0, 8}, {0, 3, 1, 0, 8}, {0, 3, 2, 0, 8}}, RGB: true},
	"bgra":        {Components: []Component{{0, 4, 2, 0, 8}, {0, 4, 1, 0, 8}, {0, 4, 0, 0, 8}, {0, 4, 3, 0, 8}}, RGB: true},
	"rgb48be":     {Components: []Component{{0, 6, 0, 0, 16}, {0, 6, 2, 0, 16}, {0, 6, 4, 0, 16}}, RGB: true, BigEndian: true},
	"rgb565le":    {Components: []Component{{0, 2, 0, 11, 5}, {0, 2, 0, 5, 6}, {0, 2, 0, 0, 5}}, RGB: true},
	"gbrp10le":    {Components: []Component{{2, 2, 0, 0, 10}, {0, 2, 0, 0, 10}, {1, 2, 0, 0, 10}}, RGB: true},
}

// comps are planar components.
func comps(n, depth int) (list []Component) {
	step := 1
	if depth > 8 {
		step = 2
	}
	for i := range n {
		list = append(list, Component{i, step, 0, 0, depth})
	}
	return list
}

// testPlanes makes a set of planes with a little padding at the end of rows.
func testPlanes(f Format, w, h int, seed uint64) []Plane {
	rng := rand.New(rand.NewPCG(seed, 1))
	planes := make([]Plane, 4)
	for i, c := range f.Components {
		cw, ch := w, h
		if !f.RGB && (i == 1 || i == 2) {
			cw, ch = -(-w >> f.Log2ChromaW), -(-h >> f.Log2ChromaH)
		}
		p := &planes[c.Plane]
		stride := c.Step*cw + 7
		if stride <= p.Stride {
			continue
		}
		p.Stride, p.Data = stride, make([]byte, stride*ch)
		for j := range p.Data {
			p.Data[j] = byte(rng.Uint32())
		}
	}
	// Samples of more than a byte have no bits outside their depth.
	for _, c := range f.Components {
		if c.Step%2 == 0 && c.Shift+c.Depth > 8 && c.Shift+c.Depth <= 16 && c.Depth != 16 && c.Shift == 0 && !f.RGB {
			p := planes[c.Plane]
			for j := 0; j+1 < len(p.Data); j += 2 {
				order(f).PutUint16(p.Data[j:], order(f).Uint16(p.Data[j:])&(1<<c.Depth-1))
			}
		}
	}
	return planes
}

func order(f Format) binary.ByteOrder {
	if f.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func clonePlanes(p []Plane) []Plane {
	out := make([]Plane, len(p))
	for i := range p {
		out[i] = Plane{bytes.Clone(p[i].Data), p[i].Stride}
	}
	return out
}

func sample(f Format, planes []Plane, i, x, y int) int {
	c := f.Components[i]
	at := planes[c.Plane].Data[y*planes[c.Plane].Stride+c.Offset+x*c.Step:]
	v := uint16(at[0])
	if c.Shift+c.Depth > 8 {
		v = order(f).Uint16(at)
	}
	return int(v >> c.Shift & (1<<c.Depth - 1))
}

// square is a mask with a filled square.
func square(w, h, x0, y0, side int) []uint8 {
	m := make([]uint8, w*h)
	for y := y0; y < y0+side; y++ {
		for x := x0; x < x0+side; x++ {
			m[y*w+x] = 255
		}
	}
	return m
}

// TestUntouched draws into every format. Samples away from the mask and from the legend
// must stay the same to the bit, including padding, and those inside must change.
func TestUntouched(t *testing.T) {
	const w, h = 161, 119 // odd, so that chroma is cut
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			f.Rows = h
			p := &Painter{Width: w, Height: h, Format: f, Style: &noLabels}
			if err := p.Initialize(); err != nil {
				t.Fatal(err)
			}
			planes := testPlanes(f, w, h, 1)
			before := clonePlanes(planes)
			const x0, y0, side = 64, 48, 40
			layer := Layer{Alpha: square(w, h, x0, y0, side), Colour: [3]uint8{255, 0, 128}, Label: "dog"}
			if err := p.Draw(planes, []Layer{layer}); err != nil {
				t.Fatal(err)
			}
			reach := p.line.reach() + 1
			for i := range f.Components {
				sw, sh := 0, 0
				if !f.RGB && (i == 1 || i == 2) {
					sw, sh = f.Log2ChromaW, f.Log2ChromaH
				}
				changed := 0
				for y := range -(-h >> sh) {
					for x := range -(-w >> sw) {
						same := sample(f, planes, i, x, y) == sample(f, before, i, x, y)
						outside := x<<sw+1<<sw <= x0-reach || x<<sw >= x0+side+reach || y<<sh+1<<sh <= y0-reach || y<<sh >= y0+side+reach
						if outside && !same {
							t.Fatalf("component %d at %d,%d was touched", i, x, y)
						}
						if !same {
							changed++
						}
					}
				}
				if alpha := i == 3; alpha != (changed == 0) {
					t.Errorf("component %d: %d samples changed", i, changed)
				}
			}
			for i := range planes { // padding
				for y := 0; planes[i].Stride > 0 && (y+1)*planes[i].Stride <= len(planes[i].Data); y++ {
					end := (y + 1) * planes[i].Stride
					if !bytes.Equal(planes[i].Data[end-6:end], before[i].Data[end-6:end]) {
						t.Fatalf("plane %d, row %d: padding was touched", i, y)
					}
				}
			}
		})
	}
}

// TestNothingToDraw checks that without layers nothing changes, and that an empty mask
// changes only the legend.
func TestNothingToDraw(t *testing.T) {
	f := formats["yuv420p"]
	p := &Painter{Width: 64, Height: 48, Format: f}
	if err := p.Initialize(); err != nil {
		t.Fatal(err)
	}
	planes := testPlanes(f, 64, 48, 2)
	before := clonePlanes(planes)
	if err := p.Draw(planes, nil); err != nil {
		t.Fatal(err)
	}
	for i := range planes {
		if !bytes.Equal(planes[i].Data, before[i].Data) {
			t.Errorf("plane %d was touched", i)
		}
	}
}

// TestColours fills a black frame with an opaque colour in every format and checks the
// samples: exact for RGB, the well-known values of the colour bars for YCbCr.
func TestColours(t *testing.T) {
	bars := []struct {
		format, matrix string
		full           bool
		rgb            [3]uint8
		want           [3]int
	}{
		{"yuv444p", "bt709", false, [3]uint8{255, 255, 255}, [3]int{235, 128, 128}},
		{"yuv444p", "bt709", false, [3]uint8{255, 0, 0}, [3]int{63, 102, 240}},
		{"yuv444p", "bt709", false, [3]uint8{0, 0, 255}, [3]int{32, 240, 118}},
		{"yuv444p", "smpte170m", false, [3]uint8{255, 0, 0}, [3]int{81, 90, 240}},
		{"yuv444p", "smpte170m", true, [3]uint8{0, 255, 0}, [3]int{150, 44, 21}},
		{"yuv420p10le", "bt2020nc", false, [3]uint8{255, 255, 255}, [3]int{940, 512, 512}},
		{"yuv420p10le", "bt709", false, [3]uint8{255, 0, 0}, [3]int{250, 409, 960}},
		{"p010le", "bt709", false, [3]uint8{255, 0, 0}, [3]int{250, 409, 960}},
		{"nv12", "bt709", false, [3]uint8{0, 0, 255}, [3]int{32, 240, 118}},
		{"rgb24", "", false, [3]uint8{12, 200, 99}, [3]int{12, 200, 99}},
		{"bgra", "", false, [3]uint8{12, 200, 99}, [3]int{12, 200, 99}},
		{"gbrp10le", "", false, [3]uint8{255, 0, 128}, [3]int{1023, 0, 514}},
		{"rgb48be", "", false, [3]uint8{255, 0, 128}, [3]int{65535, 0, 32896}},
		{"rgb565le", "", false, [3]uint8{255, 0, 255}, [3]int{31, 0, 31}},
	}
	for _, b := range bars {
		t.Run(fmt.Sprint(b.format, b.matrix, b.rgb), func(t *testing.T) {
			f := formats[b.format]
			f.Matrix, f.FullRange = b.matrix, b.full
			planes := testPlanes(f, 16, 16, 3)
			var c canvas
			c.init(16, 16)
			for y := range 16 {
				c.fill(y, 0, 16, inkOf(b.rgb), 255)
			}
			var blend blender
			blend.init(&f)
			if err := blend.blend(planes, &c, 1); err != nil {
				t.Fatal(err)
			}
			for i, want := range b.want {
				if got := sample(f, planes, i, 3, 3); got < want-1 || got > want+1 {
					t.Errorf("component %d is %d, want %d", i, got, want)
				}
			}
		})
	}
}

// TestLine checks the outline of a square across its edge: the full colour inside, its
// edging outside, at positions that do not move if the mask has a soft edge.
func TestLine(t *testing.T) {
	const w, h = 1200, 1080
	f := formats["rgb24"]
	p := &Painter{Width: w, Height: h, Format: f, Style: &noLabels}
	if err := p.Initialize(); err != nil {
		t.Fatal(err)
	}
	for _, soft := range []bool{false, true} {
		planes := []Plane{{bytes.Repeat([]byte{128}, 3*w*h), 3 * w}}
		mask := square(w, h, 100, 100, 200)
		if soft {
			for y := 100; y < 300; y++ {
				mask[y*w+98], mask[y*w+99], mask[y*w+100], mask[y*w+101] = 51, 102, 153, 204
			}
		}
		if err := p.Draw(planes, []Layer{{Alpha: mask, Colour: [3]uint8{250, 80, 0}, Label: "x"}}); err != nil {
			t.Fatal(err)
		}
		red := func(x int) int { return int(planes[0].Data[3*(200*w+x)]) }
		if red(98) > 90 {
			t.Errorf("soft %v: two pixels outside the edge red is %d: no dark line", soft, red(98))
		}
		if red(101) != 250 {
			t.Errorf("soft %v: two pixels inside the edge red is %d: no line of the full colour", soft, red(101))
		}
		if red(90) != 128 {
			t.Errorf("soft %v: ten pixels outside red is %d, want it untouched", soft, red(90))
		}
		if v := red(200); v < 175 || v > 183 {
			t.Errorf("soft %v: in the middle red is %d: fill is not what fillOpacity says", soft, v)
		}
	}
}

// TestTiny draws on frames that are smaller than lines and letters.
func TestTiny(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 3}, {17, 5}} {
		w, h := size[0], size[1]
		f := formats["yuv420p"]
		p := &Painter{Width: w, Height: h, Format: f}
		if err := p.Initialize(); err != nil {
			t.Fatal(err)
		}
		l := Layer{Alpha: bytes.Repeat([]byte{255}, w*h), Label: "a very long name indeed", Score: 1}
		if err := p.Draw(testPlanes(f, w, h, 4), []Layer{l}); err != nil {
			t.Errorf("%dx%d: %v", w, h, err)
		}
	}
}

func TestColourNames(t *testing.T) {
	for s, want := range map[string][3]uint8{"#0072b2": {0, 114, 178}, "#F00": {255, 0, 0}, " Orange ": {255, 165, 0}} {
		if got, err := ParseColour(s); err != nil || got != want {
			t.Errorf("ParseColour(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "#12", "0072b2", "#12345g", "no colour"} {
		if _, err := ParseColour(s); err == nil {
			t.Errorf("ParseColour(%q) has no error", s)
		}
	}
	seen := map[[3]uint8]bool{}
	for i := range 16 {
		if seen[Colour(i)] {
			t.Errorf("colour %d comes twice", i)
		}
		seen[Colour(i)] = true
	}
}

// TestThreads checks that the result is the same on any number of threads, in every
// format.
func TestThreads(t *testing.T) {
	for name, f := range formats {
		const w, h = 97, 61
		draw := func(threads int) []Plane {
			p := &Painter{Width: w, Height: h, Format: f, Threads: threads}
			if err := p.Initialize(); err != nil {
				t.Fatal(err)
			}
			planes := testPlanes(f, w, h, 5)
			for i := range 2 { // the second time in reused memory
				layers := []Layer{
					{Alpha: square(w, h, 10+i, 8, 30), Colour: Colour(0), Label: "a", Score: .5},
					{Alpha: square(w, h, 30, 20, 40), Colour: Colour(1), Label: "b", Score: .7},
				}
				if err := p.Draw(planes, layers); err != nil {
					t.Fatal(err)
				}
			}
			return planes
		}
		want := draw(1)
		for _, threads := range []int{2, 3, 200} {
			for i, plane := range draw(threads) {
				if !bytes.Equal(plane.Data, want[i].Data) {
					t.Errorf("%s: on %d threads plane %d is another", name, threads, i)
				}
			}
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, size := range [][2]int{{1920, 1080}, {3840, 2160}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			w, h := size[0], size[1]
			f := formats["yuv420p"]
			p := &Painter{Width: w, Height: h, Format: f}
			if err := p.Initialize(); err != nil {
				b.Fatal(err)
			}
			planes := testPlanes(f, w, h, 5)
			var layers []Layer
			for i := range 3 {
				layers = append(layers, Layer{Alpha: square(w, h, 200+i*w/4, h/3, h/4), Colour: Colour(i), Label: "concept", Score: 0.97})
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Draw(planes, layers); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
