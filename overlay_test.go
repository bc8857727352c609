package carve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// TestOverlayRefuses: what is wrong is an error of Try and of Open, and leaves no file.
func TestOverlayRefuses(t *testing.T) {
	shot := newSheetShot(t, 64, 36, "dog")
	dir := t.TempDir()
	for _, c := range []struct {
		o    *Overlay
		want string
	}{
		{&Overlay{Layout: "below"}, `the layout is "below"; it can be over or side`},
		{&Overlay{Concepts: []string{"cat"}}, `there is no query "cat"`},
		{&Overlay{Shaping: &Shaping{Grow: -1}}, "grow is -1"},
		{&Overlay{Style: &overlay.Style{Opacity: 7}}, "opacity is 7"},
		{&Overlay{Output: video.Sink{Encoder: "none"}}, "none"},
		{&Overlay{}, ""},
	} {
		c.o.Output.Path, c.o.Output.Reel = filepath.Join(dir, "a.mkv"), shot.reel
		for i, err := range []error{c.o.Try(t.Context(), shot.stream), c.o.Open(t.Context(), shot.stream)} {
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: %v, want %s", []string{"Try", "Open"}[i], err, c.want)
			}
		}
		c.o.Abort()
		c.o.Close()
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("there are %v", files)
	}
}
