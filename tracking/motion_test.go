package tracking

import (
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// TestImageIsTheCallers: the caller may change an image once its analysis is closed, even
// though the next analysis still needs the frame.
func TestImageIsTheCallers(t *testing.T) {
	var w MotionAnalyzer
	for i := range 4 {
		img := paint(square{1, 10 + i, 20, 16})
		s := w.Analyze(img, time.Duration(i)*40*time.Millisecond)
		if s.NewShot != (i == 0) {
			t.Errorf("frame %d: new shot is %t", i, s.NewShot)
		}
		s.Close()
		clear(img.Pix)
		*img = car.Image{}
	}
}
