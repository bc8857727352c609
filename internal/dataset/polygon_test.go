package dataset

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/annotation"
)

// drawing renders a mask for comparison in a test: # is the object.
func drawing(mask []uint8, w int) string {
	var b strings.Builder
	for row := range slices.Chunk(mask, w) {
		for _, m := range row {
			b.WriteByte(".#"[m])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Shapes whose pixels are obvious.
func TestPolygonByHand(t *testing.T) {
	for name, c := range map[string]struct {
		xy   []float64
		want string
	}{
		// Corners on pixel corners: the pixels are whole.
		"whole pixels": {[]float64{1, 1, 4, 1, 4, 3, 1, 3}, ".....\n.###.\n.###.\n.....\n"},
		// The other orientation gives the same.
		"the other way": {[]float64{1, 3, 4, 3, 4, 1, 1, 1}, ".....\n.###.\n.###.\n.....\n"},
		// Larger than the image.
		"beyond the picture": {[]float64{-9, -9, 20, -9, 20, 20, -9, 20}, "#####\n#####\n#####\n#####\n"},
		// The middles of the first column and row are outside by 0.1.
		"inside by a tenth": {[]float64{0.6, 0.6, 4.4, 0.6, 4.4, 3.4, 0.6, 3.4}, ".....\n.###.\n.###.\n.....\n"},
		// Where the outline goes round twice, the even-odd rule leaves a hole.
		"a hole":     {[]float64{0, 0, 5, 0, 5, 4, 0, 4, 0, 0, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1}, "#####\n##..#\n##..#\n#####\n"},
		"a triangle": {[]float64{0, 0, 4, 4, 0, 4}, "#....\n##...\n###..\n####.\n"},
		"a line":     {[]float64{0, 2, 5, 2}, ".....\n.....\n.....\n.....\n"},
		"nothing":    {nil, ".....\n.....\n.....\n.....\n"},
	} {
		mask := make([]uint8, 20)
		if err := paintPolygon(mask, 5, 4, c.xy); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := drawing(mask, 5); got != c.want {
			t.Errorf("%s:\n%swant\n%s", name, got, c.want)
		}
	}
}

func TestPolygonErrors(t *testing.T) {
	for _, xy := range [][]float64{{1}, {1, 2, 3}, {0, 0, math.Inf(1), 0, 1, 1}, {0, 0, math.NaN(), 0, 1, 1}, {0, 0, 1e9, 0, 1, 1}} {
		if err := paintPolygon(make([]uint8, 20), 5, 4, xy); err == nil {
			t.Errorf("%v is taken", xy)
		}
	}
}

type oracle struct {
	W, H   int
	XY     []float64
	Runs   []uint32
	Packed string
}

func readOracle(t *testing.T, path string) (list []oracle) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// What COCO's own code makes of polygons and of runs, pixel by pixel.
func TestPolygonAgainstCOCO(t *testing.T) {
	for i, o := range readOracle(t, "testdata/polygons.json") {
		mask, want := make([]uint8, o.W*o.H), make([]uint8, o.W*o.H)
		if err := paintPolygon(mask, o.W, o.H, o.XY); err != nil {
			t.Fatal(err)
		}
		if err := paintRuns(want, annotation.RLE{W: o.W, H: o.H, Counts: o.Runs}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(mask, want) {
			t.Errorf("polygon %d, %v:\n%swant\n%s", i, o.XY, drawing(mask, o.W), drawing(want, o.W))
		}
		runs, err := annotation.ParseCounts(o.Packed)
		if err != nil || !slices.Equal(runs, o.Runs) {
			t.Errorf("polygon %d: runs %v, %v; want %v", i, runs, err, o.Runs)
		}
	}
}

// FuzzOutline: whatever the file says, painting ends and stays within the mask.
func FuzzOutline(f *testing.F) {
	f.Add(`{"segmentation":[[1,1,4,1,4,3]]}`)
	f.Add(`{"segmentation":{"size":[4,5],"counts":[3,4,13]}}`)
	f.Add(`,{"segmentation":{"size":[4,5],"counts":"04PO"}}`)
	f.Fuzz(func(t *testing.T, s string) {
		mask := make([]uint8, 20)
		_ = outline(strings.NewReader(s), span{0, int64(len(s))}, mask, 5, 4)
	})
}
