package carve_test

import (
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
)

// TestNoLag: masks of the default settings, most of which are propagated, move with an
// object of constant speed. The lag is measured on the images: how far their middle is
// behind the object's, in frames.
func TestNoLag(t *testing.T) {
	if testing.Short() {
		t.Skip("other runs are enough for the race detector")
	}
	const w, h, frames, radius, vx, vy = 256, 144, 40, 20, 2.5, 0.75
	middle := func(n int) (x, y float64) { return 50 + vx*float64(n), 50 + vy*float64(n) }
	dir := t.TempDir()
	raw, in, masks := filepath.Join(dir, "disc.raw"), filepath.Join(dir, "in.mkv"), filepath.Join(dir, "masks")
	var pix []byte
	for n := range frames {
		cx, cy := middle(n)
		for p := range w * h {
			x, y := float64(p%w), float64(p/w)
			v := 50 + 25*math.Sin(x/7)*math.Cos(y/5) + 15*math.Sin((x+2*y)/3) // stands still
			if dx, dy := x-cx, y-cy; dx*dx+dy*dy <= radius*radius {
				v = 200 + 25*math.Sin(dx/4)*math.Cos(dy/3) + 10*math.Sin((dx-dy)/2) // moves
			}
			pix = append(pix, byte(v))
		}
	}
	if err := os.WriteFile(raw, pix, 0o644); err != nil {
		t.Fatal(err)
	}
	ffmpeg(t, "-f", "rawvideo", "-pix_fmt", "gray", "-s", fmt.Sprintf("%dx%d", w, h), "-r", "25", "-i", raw, "-c:v", "ffv1", in)
	report, err := carve.Run(t.Context(), carve.Job{Source: open(t, in), Segmenter: brightSegmenter(t),
		Queries: []car.Query{car.Named("bright")}, Sinks: []carve.Sink{&carve.Masks{Path: masks}}})
	if err != nil {
		t.Fatal(err)
	}
	if report.KeyFrames > frames/3 {
		t.Fatalf("%d of %d frames are key frames: this does not test what it should", report.KeyFrames, frames)
	}
	sum, worst := 0., 0.
	for n := range frames {
		img := decode(t, filepath.Join(masks, fmt.Sprintf("%06d.png", n))).(*image.Paletted)
		x, y, area := 0., 0., 0.
		for p, v := range img.Pix {
			if v == 1 {
				x, y, area = x+float64(p%w), y+float64(p/w), area+1
			}
		}
		cx, cy := middle(n)
		// How far the middle of the mask is behind, along the motion.
		lag := ((cx-x/area)*vx + (cy-y/area)*vy) / (vx*vx + vy*vy)
		sum, worst = sum+lag, max(worst, math.Abs(lag))
		if full := math.Pi * radius * radius; area < .95*full || area > 1.05*full {
			t.Errorf("frame %d: the mask has %g pixels, and the object %.0f", n, area, full)
		}
	}
	t.Logf("%d of %d frames are key frames; the masks are %.3f frames behind on average, %.3f at most", report.KeyFrames, frames, sum/frames, worst)
	if math.Abs(sum/frames) > .1 || worst > .5 {
		t.Errorf("masks are %.2f frames behind the object, %.2f at most", sum/frames, worst)
	}
}
