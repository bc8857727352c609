package video

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// TestHiddenSound: packets that an edit list hides are not heard in any container.
func TestHiddenSound(t *testing.T) {
	in := filepath.Join(golden.Shared(t, "cases", "video"), "elst2.mp4")
	var shown []string
	for _, p := range packets(t, in, "a", "pts_time,flags,data_hash") {
		if strings.Contains(p, ",K__,") {
			shown = append(shown, p[strings.LastIndexByte(p, ',')+1:])
		}
	}
	if len(shown) != 94 {
		t.Fatalf("%d packets of the clip are shown", len(shown))
	}
	for _, to := range []string{"o.mp4", "o.mov", "o.mkv"} {
		r := transcode(t, in, to, quick)
		var heard []string
		for _, p := range packets(t, r.out, "a", "pts_time,flags,data_hash") {
			if strings.Contains(p, ",K__,") && p[0] != '-' {
				heard = append(heard, p[strings.LastIndexByte(p, ',')+1:])
			}
		}
		sameList(t, to+": packets", heard, shown)
		if all := packets(t, r.out, "a", "pts_time"); len(all) > len(shown)+1 {
			t.Errorf("%s: %d packets, %d are shown", to, len(all), len(shown))
		}
		if len(r.lost) != 0 {
			t.Errorf("%s: lost %v", to, r.lost)
		}
	}
}

// TestEqualTimes: sound whose packets have one time in twos is kept whole.
func TestEqualTimes(t *testing.T) {
	in := filepath.Join(golden.Shared(t, "cases", "video"), "fragev.mp4")
	want := packets(t, in, "a", "data_hash")
	if len(want) != 48 {
		t.Fatalf("%d packets", len(want))
	}
	for _, to := range []string{"o.mp4", "o.mkv", "o.ts", "o.nut"} {
		r := transcode(t, in, to)
		if to == "o.ts" { // which puts a header before each
			equal(t, to, len(packets(t, r.out, "a", "pts")), len(want))
			continue
		}
		sameList(t, to, packets(t, r.out, "a", "data_hash"), want)
		if len(r.lost) != 0 {
			t.Errorf("%s: lost %v", to, r.lost)
		}
	}
}
