package models

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/carve-video/carve/car"
)

// TestSoak: resident memory does not grow over hundreds of runs of every graph, with
// sizes and batches that change as in the loop. With CARVE_SOAK=1 it is long; without, it
// is short, and -short skips it.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("soak: left out by -short")
	}
	warm, runs := 20, 60
	if os.Getenv("CARVE_SOAK") != "" {
		warm, runs = 50, 500
	}
	m := openTest(t, "demo", Options{})
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	j, err := m.Judge()
	if err != nil {
		t.Fatal(err)
	}
	size := [][2]int{{160, 96}, {96, 160}, {128, 128}}
	u := directions(m, 9)
	step := func(i int) {
		s := size[i%len(size)]
		v, err := p.Encode(t.Context(), noise(s[0], s[1], uint64(i)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.CAM(t.Context(), u[:1+i%9]); err != nil {
			t.Fatal(err)
		}
		v.Close()
		images := make([]*car.Image, 1+i%5)
		for k := range images {
			images[k] = noise(96, 96, uint64(k))
		}
		if _, err := j.EncodeImages(t.Context(), images); err != nil {
			t.Fatal(err)
		}
		if _, err := m.text.run(t.Context(), [][]int32{m.text.tokenizer.Encode("a dog on a hill")}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range warm {
		step(i)
	}
	settle := func() int64 {
		runtime.GC()
		debug.FreeOSMemory()
		return rss(t)
	}
	before := settle()
	for i := range runs {
		step(i)
	}
	after := settle()
	t.Logf("resident: %.1f MB, after %d more runs %.1f MB", float64(before)/(1<<20), runs, float64(after)/(1<<20))
	// The smallest Features take 1 MB; a leaked handle per run takes some hundred bytes,
	// a leaked tensor far more than this.
	if grown := after - before; grown > 6<<20 {
		t.Errorf("resident memory grew by %.1f MB in %d runs", float64(grown)/(1<<20), runs)
	}
}
