package densecrf

import (
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/safetensors"
)

// units is the part of units/manifest.json that the tests need.
type units struct {
	DenseCRF []struct {
		File    string
		RGB     string
		Wrapped string
		Prob    string
		Q       []string
	}
	WrapTable struct {
		RGB     [][3]uint8 `json:"rgb"`
		Wrapped [][3]uint8 `json:"wrapped_bgr"`
	} `json:"crf_wrap_table"`
}

func readUnits(t testing.TB) (string, units) {
	t.Helper()
	dir := golden.Dir(t, "units")
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var u units
	if err := json.Unmarshal(data, &u); err != nil {
		t.Fatal(err)
	}
	return dir, u
}

// readRGB reads an opaque PNG as interleaved triples.
func readRGB(t testing.TB, path string) (pix []uint8, w, h int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	w, h = m.Bounds().Dx(), m.Bounds().Dy()
	for y := range h {
		for x := range w {
			r, g, b, _ := m.At(x, y).RGBA()
			pix = append(pix, uint8(r>>8), uint8(g>>8), uint8(b>>8))
		}
	}
	return pix, w, h
}

// tolerance returns the tolerance of a marginal. goldens/README.md states it for 1 and
// for 10 iterations; other numbers get that of the next higher one.
func tolerance(iterations int) float64 {
	if iterations <= 1 {
		return 1e-3
	}
	return 2e-2
}

func TestGolden(t *testing.T) {
	dir, u := readUnits(t)
	if len(u.DenseCRF) == 0 {
		t.Fatal("the manifest has no unit densecrf")
	}
	// Entries with a single kernel do not repeat the names of their images.
	type imageNames struct{ rgb, wrapped string }
	images := map[string]imageNames{}
	for _, e := range u.DenseCRF {
		if e.RGB != "" {
			images[e.Prob] = imageNames{e.RGB, strings.Fields(e.Wrapped)[0]}
		}
	}
	for _, e := range u.DenseCRF {
		f, err := safetensors.Open(filepath.Join(dir, e.File))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		pt, err := f.Tensor(e.Prob)
		if err != nil {
			t.Fatal(err)
		}
		prob, err := pt.Float32()
		if err != nil {
			t.Fatal(err)
		}
		rgb, w, h := readRGB(t, filepath.Join(dir, images[e.Prob].rgb))
		labels := pt.Shape[0]
		if err := pt.CheckShape(labels, h, w); err != nil {
			t.Fatal(err)
		}
		wrapped := make([]uint8, len(rgb))
		WrapImage(rgb, wrapped)
		if want, _, _ := readRGB(t, filepath.Join(dir, images[e.Prob].wrapped)); string(want) != string(wrapped) {
			t.Errorf("%s: the wrapped image differs from the golden one", e.Prob)
		}
		unary := make([]float32, len(prob))
		Unary(prob, unary)

		for _, name := range e.Q {
			t.Run(name, func(t *testing.T) {
				part := strings.Split(name, "_")
				params := Reference()
				if params.Iterations, err = strconv.Atoi(part[len(part)-1]); err != nil {
					t.Fatal(err)
				}
				feature := wrapped
				switch kind := strings.Join(part[1:len(part)-1], "_"); kind {
				case "wrapped":
				case "rgb":
					feature = rgb
				case "only_gauss":
					params.BilateralCompat = 0
				case "only_bilateral":
					params.GaussianCompat = 0
				default:
					t.Fatalf("unknown kind of field %q", kind)
				}
				qt, err := f.Tensor(name)
				if err != nil {
					t.Fatal(err)
				}
				want, err := qt.Float32()
				if err != nil {
					t.Fatal(err)
				}
				for _, threads := range []int{1, 3} {
					params.Threads = threads
					q := make([]float32, len(unary))
					field(w, h, feature, params).Infer(background, unary, labels, q)
					compare(t, q, want, labels, tolerance(params.Iterations))
				}
			})
		}
	}
}

// compare compares marginals and the resulting labels with the golden ones.
func compare(t *testing.T, q, want []float32, labels int, tol float64) {
	t.Helper()
	var worst float64
	for i := range want {
		worst = max(worst, float64(abs(q[i]-want[i])))
	}
	n, differ := len(q)/labels, 0
	for p := range n {
		if top(q, p, n) != top(want, p, n) {
			differ++
		}
	}
	t.Logf("worst difference %.2g, %d of %d labels differ", worst, differ, n)
	if !(worst <= tol) {
		t.Errorf("worst difference of a marginal %.2g, tolerance %.2g", worst, tol)
	}
	if float64(differ) > 0.005*float64(n) {
		t.Errorf("%d of %d pixels get another label", differ, n)
	}
}

func top(q []float32, p, n int) int {
	best := 0
	for l := 0; l*n+p < len(q); l++ {
		if q[l*n+p] > q[best*n+p] {
			best = l
		}
	}
	return best
}

func TestWrapTable(t *testing.T) {
	_, u := readUnits(t)
	if len(u.WrapTable.RGB) == 0 {
		t.Fatal("the manifest has no unit crf_wrap_table")
	}
	for i, rgb := range u.WrapTable.RGB {
		var got [3]uint8
		WrapImage(rgb[:], got[:])
		if got != u.WrapTable.Wrapped[i] {
			t.Errorf("rgb %v wraps to %v, want %v", rgb, got, u.WrapTable.Wrapped[i])
		}
	}
}
