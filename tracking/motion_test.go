package tracking

import (
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// TestPictureIsTheCallers: once a sight is closed its picture may be anything, also when
// the next frame comes before the watcher has let go of it.
func TestPictureIsTheCallers(t *testing.T) {
	var w MotionAnalyzer
	for i := range 4 {
		img := paint(square{1, 10 + i, 20, 16})
		s := w.Analyze(img, time.Duration(i)*40*time.Millisecond)
		if s.NewShot != (i == 0) {
			t.Errorf("frame %d: fresh is %t", i, s.NewShot)
		}
		s.Close()
		clear(img.Pix)
		*img = car.Image{}
	}
}
