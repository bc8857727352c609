package video

import (
	"image"
	"image/color"
	"image/draw"
	"path/filepath"
	"testing"
)

// TestReel checks that images from memory at uneven times keep their times and their
// colours, and that the file states its colour description.
func TestReel(t *testing.T) {
	for _, name := range []string{"clip.mp4", "clip.mkv"} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), name)
			reel := &Reel{Width: 64, Height: 48, TimeBase: Rational{1001, 30000}, Rate: Rational{30000, 1001}}
			if err := reel.Initialize(); err != nil {
				t.Fatal(err)
			}
			defer reel.Close()
			sink := &Sink{Path: out, Reel: reel, CRF: 10, Threads: 1}
			if err := sink.Initialize(); err != nil {
				t.Fatal(err)
			}
			defer sink.Abort()
			colours := []color.RGBA{{200, 40, 40, 255}, {40, 200, 40, 255}, {40, 40, 200, 255}, {128, 128, 128, 255}}
			ticks := []int64{0, 1, 4, 5, 7}
			for i, c := range colours {
				img := image.NewRGBA(image.Rect(0, 0, 64, 48))
				draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
				f, err := reel.Frame(t.Context(), img, ticks[i], ticks[i+1]-ticks[i])
				if err != nil {
					t.Fatal(err)
				}
				err = sink.Encode(t.Context(), f)
				f.Release()
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := sink.Finish(); err != nil {
				t.Fatal(err)
			}

			src := &Source{Path: out}
			if err := src.Initialize(); err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			info := src.Info()
			if info.ColourMatrix != "bt709" || info.ColourRange != "tv" || info.PixelFormat != "yuv420p" {
				t.Errorf("%s, %s, %s", info.ColourMatrix, info.ColourRange, info.PixelFormat)
			}
			prep := &Preparer{Info: src.Info()}
			if err := prep.Initialize(); err != nil {
				t.Fatal(err)
			}
			defer prep.Close()
			for i, c := range colours {
				f, err := src.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				want := Rational{1001, 30000}.Duration(ticks[i])
				if d := f.Time() - want; d < -1e6 || d > 1e6 {
					t.Errorf("frame %d is at %v, not %v", i, f.Time(), want)
				}
				p, err := prep.Prepare(f)
				if err != nil {
					t.Fatal(err)
				}
				for k, v := range []uint8{c.R, c.G, c.B} {
					if d := int(p.Pix[3*(24*64+32)+k]) - int(v); d < -3 || d > 3 {
						t.Errorf("frame %d is %v, not %v", i, p.Pix[3*(24*64+32):][:3], c)
						break
					}
				}
				f.Release()
			}
		})
	}
}

func TestReelRefuses(t *testing.T) {
	for _, r := range []Reel{
		{Width: 63, Height: 48, TimeBase: Rational{1, 25}, Rate: Rational{25, 1}},
		{Width: 64, Height: 0, TimeBase: Rational{1, 25}, Rate: Rational{25, 1}},
		{Width: 64, Height: 48, Rate: Rational{25, 1}},
	} {
		if err := r.Initialize(); err == nil {
			r.Close()
			t.Errorf("%dx%d, %v: no error", r.Width, r.Height, r.TimeBase)
		}
	}
	reel := &Reel{Width: 64, Height: 48, TimeBase: Rational{1, 25}, Rate: Rational{25, 1}}
	if err := reel.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer reel.Close()
	if _, err := reel.Frame(t.Context(), image.NewRGBA(image.Rect(0, 0, 32, 48)), 0, 1); err == nil {
		t.Error("an image of another size: no error")
	}
}
