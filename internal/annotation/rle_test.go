package annotation

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// TestRLEByHand has a mask of 4×3 with the columns, top down, .x. xx. ... ..x: 1 out, 1
// in, 1 out, 2 in, 6 out, 1 in. From the fourth run on, the string has differences to
// the run two before: 2-1, 6-1, 1-2. Each fits one character: 48+1, 48+5, and 48+31 for
// -1.
func TestRLEByHand(t *testing.T) {
	m := NewMask(4, 3)
	for _, p := range [][2]int{{0, 1}, {1, 0}, {1, 1}, {3, 2}} {
		m.Set(p[0], p[1])
	}
	r := EncodeRLE(m)
	if want := []uint32{1, 1, 1, 2, 6, 1}; !reflect.DeepEqual(r.Counts, want) {
		t.Fatalf("%v, want %v", r.Counts, want)
	}
	if got := r.CountsString(); got != "11115O" {
		t.Errorf("%q", got)
	}
	got, err := r.Mask()
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%v, %v", got, err)
	}
	line, err := json.Marshal(r)
	if err != nil || string(line) != `{"size":[3,4],"counts":"11115O"}` {
		t.Errorf("%s, %v", line, err)
	}
}

// Long runs take several characters, and so may negative differences: 409920 is
// 0b1100_10000_01010_00000 in groups of five bits, the lowest first.
func TestRLEString(t *testing.T) {
	for _, c := range []struct {
		counts []uint32
		want   string
	}{
		{[]uint32{409920}, "PZ`<"},
		{[]uint32{0, 16}, "0`0"}, // 16 in one character would have the sign bit set
		{[]uint32{0, 15}, "0?"},
		{[]uint32{0, 40, 5, 7}, "0X15oN"}, // 7-40 = -33
		{nil, ""},
	} {
		r := RLE{Counts: c.counts}
		if got := r.CountsString(); got != c.want {
			t.Errorf("%v: %q, want %q", c.counts, got, c.want)
		}
		if got, err := ParseCounts(c.want); err != nil || !reflect.DeepEqual(got, c.counts) {
			t.Errorf("%q: %v, %v", c.want, got, err)
		}
	}
}

// TestRLEVectors has strings written by COCO's own library, pycocotools.
func TestRLEVectors(t *testing.T) {
	for _, c := range []struct {
		w, h   int
		inside func(x, y int) bool
		want   string
	}{
		{40, 30, func(x, y int) bool { return (x-20)*(x-20)+(y-14)*(y-14) <= 100 || x > 36 && y%7 == 0 },
			"j91i08J4M2N2O0O2O00000O20N1000001N101N2N3L6HZ50SJ0000000K050000000K050000000K"},
		{854, 480, func(x, y int) bool {
			return x >= 300 && x < 302 && y >= 100 && y < 400 || x >= 600 && x < 700 || x == 853 && y == 479
		}, `Tg\4\9d50lb[4db^1_]lMQTaN`},
	} {
		m := NewMask(c.w, c.h)
		for y := range c.h {
			for x := range c.w {
				if c.inside(x, y) {
					m.Set(x, y)
				}
			}
		}
		if got := EncodeRLE(m).CountsString(); got != c.want {
			t.Errorf("%dx%d: %q, want %q", c.w, c.h, got, c.want)
		}
		counts, err := ParseCounts(c.want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := (RLE{c.w, c.h, counts}).Mask(); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%dx%d is another mask, %v", c.w, c.h, err)
		}
	}
}

func TestRLERoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		m := NewMask(1+r.IntN(140), 1+r.IntN(50))
		run := 1 + r.IntN(30)
		inside := false
		for y := range m.H {
			for x := range m.W {
				if r.IntN(run) == 0 {
					inside = !inside
				}
				if inside {
					m.Set(x, y)
				}
			}
		}
		line, err := json.Marshal(EncodeRLE(m))
		if err != nil {
			t.Fatal(err)
		}
		var back RLE
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatal(err)
		}
		if got, err := back.Mask(); err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%dx%d is another mask, %v", m.W, m.H, err)
		}
	}
}

func TestRLERefused(t *testing.T) {
	for in, want := range map[string]string{
		`{"size":[2,2],"counts":[1,2]}`:                 "add up to 3",
		`{"size":[2,2],"counts":[1,4294967295]}`:        "add up to 4294967296",
		`{"size":[2,2],"counts":[-1,5]}`:                "neither numbers nor a string",
		`{"size":[2,2],"counts":[1.5,2.5]}`:             "neither numbers",
		`{"size":[2,2],"counts":null}`:                  "add up to 0",
		`{"size":[2,2]}`:                                "neither numbers",
		`{"size":[2],"counts":[2]}`:                     "1 numbers for a size",
		`{"size":[0,2],"counts":[]}`:                    "2x0",
		`{"size":[-2,-2],"counts":[4]}`:                 "-2x-2",
		`{"size":[1000000,1000000],"counts":[0]}`:       "1000000x1000000",
		`{"size":[4611686018427387904,4],"counts":[0]}`: "4x4611686018427387904",
		`{"size":[2,2],"counts":"1T"}`:                  "middle of a number",
		`{"size":[2,2],"counts":"1 3"}`:                 "character ' '",
		`{"size":[2,2],"counts":"1p"}`:                  "character 'p'",
		`{"size":[2,2],"counts":"ooooooooo0"}`:          "too long",
		`{"size":[2,2],"counts":"O5"}`:                  "-1 pixels",
		`[[1,2,3,4,5,6]]`:                               "polygons",
		`{"size":[2,2],"counts":[1,3]`:                  "unexpected end",
	} {
		var r RLE
		if err := json.Unmarshal([]byte(in), &r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}

// FuzzRLE reads any text: it must be an error, or a mask that survives a round trip.
func FuzzRLE(f *testing.F) {
	f.Add("11115O", 4, 3)
	f.Add("PZ`<", 854, 480)
	f.Add("ooooooo0", 1, 1)
	f.Add("0", 1<<20, 1<<20)
	f.Fuzz(func(t *testing.T, s string, w, h int) {
		counts, err := ParseCounts(s)
		if err != nil {
			return
		}
		if len(counts) > len(s) {
			t.Fatalf("%d runs out of %d characters", len(counts), len(s))
		}
		if again, err := ParseCounts(RLE{Counts: counts}.CountsString()); err != nil || !reflect.DeepEqual(again, counts) {
			t.Fatalf("%v became %v, %v", counts, again, err)
		}
		if w > 1<<10 || h > 1<<10 {
			if err := (RLE{w, h, counts}).Check(); err != nil {
				return
			}
			w, h = w%(1<<10), h%(1<<10)
		}
		m, err := RLE{w, h, counts}.Mask()
		if err != nil {
			return
		}
		area := 0
		for i, n := range counts {
			area += i % 2 * int(n)
		}
		if m.Area() != area {
			t.Fatalf("%d pixels, want %d", m.Area(), area)
		}
		if again, err := EncodeRLE(m).Mask(); err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%v is another mask, %v", counts, err)
		}
	})
}

func BenchmarkRLE(b *testing.B) {
	m := NewMask(854, 480)
	for y := 100; y < 300; y++ {
		for x := 200; x < 500; x++ {
			m.Set(x, y)
		}
	}
	r := EncodeRLE(m)
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			EncodeRLE(m)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.Mask(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
