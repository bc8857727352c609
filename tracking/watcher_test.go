package tracking

import (
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// TestPictureIsTheCallers: once a sight is closed its picture may be anything, also when
// the next frame comes before the watcher has let go of it.
func TestPictureIsTheCallers(t *testing.T) {
	var w Watcher
	for i := range 4 {
		img := paint(square{1, 10 + i, 20, 16})
		s := w.Watch(img, time.Duration(i)*40*time.Millisecond)
		if s.Fresh != (i == 0) {
			t.Errorf("frame %d: fresh is %t", i, s.Fresh)
		}
		s.Close()
		clear(img.Pix)
		*img = car.Image{}
	}
}
