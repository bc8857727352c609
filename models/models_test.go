package models

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/tensor"
)

// TestDemo: the embedded model opens without files and works in both roles, which share the
// text encoder.
func TestDemo(t *testing.T) {
	m := openTest(t, "demo", Options{})
	info := m.Info()
	if info.Name != "demo" || info.Patch != 8 || info.Resolution != 96 || info.Vocabulary != 2560 || info.DType != "F16" {
		t.Errorf("info %+v", info)
	}
	if info.Params < 1_900_000 || info.Params > 2_100_000 {
		t.Errorf("%d parameters, want 2.0 M", info.Params)
	}
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	j, err := m.Judge()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.Judge(); err != nil || again != j {
		t.Errorf("a second judge was made: %v", err)
	}
	a, err := p.EncodeTexts(t.Context(), []string{"dog", "cat", "dog"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := j.EncodeTexts(t.Context(), []string{"cat"})
	if err != nil {
		t.Fatal(err)
	}
	if &a[0][0] != &a[2][0] || &a[1][0] != &b[0][0] {
		t.Error("texts are not cached across calls and roles")
	}
	if math.Abs(length(a[0])-1) > 1e-5 || slices.Equal(a[0], a[1]) {
		t.Errorf("vectors of length %v, dog == cat: %v", length(a[0]), slices.Equal(a[0], a[1]))
	}
	if p.LogitScale() < 1 || p.LogitScale() != j.LogitScale() {
		t.Errorf("logit scale %v", p.LogitScale())
	}
	v, err := p.Encode(t.Context(), noise(160, 96, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if r, c := v.Grid(); r != 12 || c != 20 {
		t.Errorf("grid %dx%d", r, c)
	}
	maps, err := v.CAM(t.Context(), a[:2])
	if err != nil {
		t.Fatal(err)
	}
	if len(maps) != 2 || len(maps[0]) != 240 || largest(maps[0]) == 0 || math.IsNaN(largest(maps[0])) {
		t.Errorf("maps %d, %d values, largest %v", len(maps), len(maps[0]), largest(maps[0]))
	}
	img, err := j.EncodeImages(t.Context(), []*car.Image{noise(96, 96, 1), noise(96, 96, 2)})
	if err != nil {
		t.Fatal(err)
	}
	if len(img) != 2 || math.Abs(length(img[1])-1) > 1e-5 {
		t.Errorf("image vectors: %d", len(img))
	}
}

func length(v []float32) float64 {
	sum := 0.0
	for _, f := range v {
		sum += float64(f) * float64(f)
	}
	return math.Sqrt(sum)
}

// TestSourcesAgree: a mapped folder on disk and the same files in memory give the same
// numbers bit by bit, and so do the formats in which a checkpoint may store the same
// values.
func TestSourcesAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("the golden runs are enough for the race detector")
	}
	encode := func(m *Model) []float32 {
		t.Helper()
		p, err := m.Proposer()
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Encode(t.Context(), noise(20, 12, 5))
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		maps, err := v.CAM(t.Context(), directions(m, 3))
		if err != nil {
			t.Fatal(err)
		}
		j, err := m.Judge()
		if err != nil {
			t.Fatal(err)
		}
		img, err := j.EncodeImages(t.Context(), []*car.Image{noise(20, 12, 5)})
		if err != nil {
			t.Fatal(err)
		}
		txt, err := j.EncodeTexts(t.Context(), []string{"a dog", "an astronaut's photograph"})
		if err != nil {
			t.Fatal(err)
		}
		return slices.Concat(v.Feature(), v.Attention(), concat(maps), concat(img), concat(txt))
	}
	wide := tiny // tensors above inlineBelow, so that some are mapped
	wide.width, wide.heads, wide.textWidth = 192, 3, 128
	for _, s := range []shape{tiny, wide} {
		for _, dtype := range []tensor.DType{tensor.F32, tensor.F16, tensor.BF16} {
			dir := s.write(t, dtype, 7)
			disk := encode(openTest(t, dir, Options{}))
			m, err := OpenFS(t.Context(), "memory", os.DirFS(dir), Options{Threads: 2, Device: "cpu"})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			near(t, fmt.Sprintf("width %d, %s in memory", s.width, dtype), encode(m), disk, 0)
			if m.Info().DType != string(dtype) {
				t.Errorf("info says %s", m.Info().DType)
			}
		}
	}
	// The values of a half-precision checkpoint, stored as float32.
	dir := tiny.write(t, tensor.F16, 7)
	near(t, "F16 as F32", encode(openTest(t, widen(t, dir, tiny), Options{})), encode(openTest(t, dir, Options{})), 0)

	// A folder of links, as in download caches.
	links := t.TempDir()
	for _, name := range []string{configFile, preprocessorFile, "vocab.json", "merges.txt", weightsFile} {
		if err := os.Symlink(filepath.Join(dir, name), filepath.Join(links, name)); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "links", encode(openTest(t, links, Options{})), encode(openTest(t, dir, Options{})), 0)
}

// TestGradient compares the CAM graph with central differences: the last block in float64
// (reference_test.go), differentiated with respect to every entry of Y.
func TestGradient(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and no goroutine of its own")
	}
	for _, act := range []string{quickGELU, gelu} {
		for _, eps := range []float64{1e-5, 1e-2} {
			s := tiny
			s.act, s.eps = act, eps
			m := openTest(t, s.write(t, tensor.F32, 11), Options{})
			img := noise(16, 12, 9)
			p, err := m.Proposer()
			if err != nil {
				t.Fatal(err)
			}
			v, err := p.Encode(t.Context(), img)
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			x, y := debugTrunk(t, m, img)
			b := newReferenceBlock(t, m)
			X, Y := b.rows(x), b.rows(y)
			f := b.feature(X, Y)
			for i, w := range f.unit() {
				if math.Abs(w-float64(v.Feature()[i])) > 1e-5 {
					t.Fatalf("%s: feature %d is %v, want %v", act, i, v.Feature()[i], w)
				}
			}
			D, N := len(X[0]), len(X)-1
			for k, u := range directions(m, 2) {
				_, got, err := v.(*imageFeatures).cam(t.Context(), [][]float32{u})
				if err != nil {
					t.Fatal(err)
				}
				want := make([]float32, D)
				const h = 1e-5
				for n := 1; n <= N; n++ {
					for d := range D {
						old := Y[n][d]
						Y[n][d] = old + h
						up := b.feature(X, Y).unit().dot(u)
						Y[n][d] = old - h
						down := b.feature(X, Y).unit().dot(u)
						Y[n][d] = old
						want[d] += float32((up - down) / (2 * h) / float64(N))
					}
				}
				near(t, fmt.Sprintf("%s, eps %g, direction %d", act, eps, k), got[0], want, 1e-5*largest(want))
			}
		}
	}
}

// TestCAMLinear: CAMs are linear in their direction, whatever the chunks in which they are
// computed, and do not depend on the other directions of the batch.
func TestCAMLinear(t *testing.T) {
	m := openTest(t, tiny.write(t, tensor.F32, 3), Options{})
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Encode(t.Context(), noise(24, 16, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	u := directions(m, 2)
	sum := make([]float32, len(u[0]))
	for i := range sum {
		sum[i] = 2*u[0][i] - 3*u[1][i]
	}
	maps, err := v.CAM(t.Context(), [][]float32{u[0], u[1], sum})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, len(maps[0]))
	for i := range want {
		want[i] = 2*maps[0][i] - 3*maps[1][i]
	}
	near(t, "2a-3b", maps[2], want, 1e-5*largest(want))
	alone, err := v.CAM(t.Context(), [][]float32{sum})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "alone", alone[0], maps[2], 1e-6*largest(want))
	if none, err := v.CAM(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("no directions: %v, %v", none, err)
	}
	if _, err := v.CAM(t.Context(), [][]float32{{1}}); err == nil {
		t.Error("a direction of the wrong length passed")
	}
}

// TestAttentionParts: the mean attention does not depend on the parts in which it is
// computed. Its rows and the column of CLS sum to one. Grids of any size work.
func TestAttentionParts(t *testing.T) {
	for _, c := range []struct{ heads, L int }{{1, 2}, {2, 17}, {12, 921}, {12, 3601}, {16, 8161}} {
		rows, sum := attentionRows(c.heads, c.L), int64(0)
		for i, r := range rows {
			sum += r
			if r < 0 || i > 0 && r > 0 && rows[i-1] == 0 {
				t.Errorf("rows %v", rows)
			}
		}
		if sum != int64(c.L) || rows[0] == 0 || len(rows) != attentionParts {
			t.Errorf("%d heads, %d tokens: rows %v", c.heads, c.L, rows)
		}
	}
	m := openTest(t, tiny.write(t, tensor.F32, 3), Options{})
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range [][2]int{{4, 4}, {8, 4}, {4, 40}, {36, 28}, {200, 160}} {
		v, err := p.Encode(t.Context(), noise(s[0], s[1], 1))
		if err != nil {
			t.Fatalf("%v: %v", s, err)
		}
		N := s[0] * s[1] / 16
		for i := range N {
			sum := 0.0
			for _, a := range v.Attention()[i*N:][:N] {
				sum += float64(a)
			}
			if !(sum > 0.2 && sum < 1) { // the rest is that of CLS
				t.Fatalf("%v: row %d sums to %v", s, i, sum)
			}
		}
		if _, err := v.CAM(t.Context(), directions(m, 2)); err != nil {
			t.Fatalf("%v: %v", s, err)
		}
		v.Close()
	}
}

// TestBatches: images encoded in one batch, in several, and one by one have the same
// vectors.
func TestBatches(t *testing.T) {
	m := openTest(t, "demo", Options{})
	j, err := m.Judge()
	if err != nil {
		t.Fatal(err)
	}
	var images []*car.Image
	for i := range 40 { // more than judgeTokens allows in one run
		images = append(images, noise(96, 96, uint64(i)))
	}
	all, err := j.EncodeImages(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 27, 28, 39} {
		one, err := j.EncodeImages(t.Context(), images[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprintf("image %d", i), all[i], one[0], 1e-5)
	}
	if none, err := j.EncodeImages(t.Context(), nil); err != nil || none != nil {
		t.Errorf("no images: %v, %v", none, err)
	}

	var texts []string
	for i := range 150 {
		texts = append(texts, strings.Repeat("dog ", i%30)+fmt.Sprint(i))
	}
	together, err := m.text.EncodeTexts(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 29, 64, 149} {
		one, err := m.text.run(t.Context(), [][]int32{m.text.tokenizer.Encode(texts[i])})
		if err != nil {
			t.Fatal(err)
		}
		near(t, texts[i], together[i], one[0], 1e-5)
	}
}

// TestSkipLastBlock: without the last block the judge's vectors differ.
func TestSkipLastBlock(t *testing.T) {
	dir := tiny.write(t, tensor.F32, 5)
	var vectors [2][]float32
	for i, skip := range []bool{false, true} {
		j, err := openTest(t, dir, Options{SkipLastBlock: skip}).Judge()
		if err != nil {
			t.Fatal(err)
		}
		v, err := j.EncodeImages(t.Context(), []*car.Image{noise(16, 16, 1)})
		if err != nil {
			t.Fatal(err)
		}
		vectors[i] = v[0]
	}
	if slices.Equal(vectors[0], vectors[1]) {
		t.Error("the last block makes no difference")
	}
}

func TestTooLong(t *testing.T) {
	m := openTest(t, "demo", Options{})
	long := strings.Repeat("dog ", 76)
	n, err := m.Tokens(long)
	if n != 78 || !errors.Is(err, ErrTooLong) {
		t.Errorf("%d tokens, %v", n, err)
	}
	if n, err := m.Tokens("dog"); n != 3 || err != nil {
		t.Errorf("dog: %d tokens, %v", n, err)
	}
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.EncodeTexts(t.Context(), []string{"cat", long})
	var detail *TooLongError
	if !errors.As(err, &detail) || detail.Text != long || detail.Tokens != 78 || detail.Max != 77 {
		t.Errorf("error %v", err)
	}
}

func TestImageErrors(t *testing.T) {
	m := openTest(t, tiny.write(t, tensor.F32, 1), Options{})
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	j, err := m.Judge()
	if err != nil {
		t.Fatal(err)
	}
	for _, img := range []*car.Image{noise(15, 16, 1), {W: 16, H: 16, Pix: make([]uint8, 5)}, {}} {
		if _, err := p.Encode(t.Context(), img); err == nil {
			t.Errorf("the proposer encoded %dx%d with %d bytes", img.W, img.H, len(img.Pix))
		}
		if _, err := j.EncodeImages(t.Context(), []*car.Image{img}); err == nil {
			t.Errorf("the judge encoded %dx%d with %d bytes", img.W, img.H, len(img.Pix))
		}
	}
	if _, err := j.EncodeImages(t.Context(), []*car.Image{noise(16, 16, 1), noise(16, 12, 1)}); err == nil {
		t.Error("images of two sizes were accepted")
	}
}

// TestCancel: a context that ends cancels a running call, and the model works afterwards.
func TestCancel(t *testing.T) {
	m := openTest(t, "demo", Options{})
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	img := noise(640, 480, 1)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := p.Encode(ctx, img); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err) // the whole run takes ten times as long
	}
	v, err := p.Encode(t.Context(), noise(96, 96, 1))
	if err != nil {
		t.Fatal(err)
	}
	v.Close()
	v.Close() // does nothing
	if _, err := v.CAM(t.Context(), directions(m, 1)); err == nil {
		t.Error("closed features returned a map")
	}
}

// TestConcurrent: both roles may be used at the same time, and several Features too.
func TestConcurrent(t *testing.T) {
	m := openTest(t, "demo", Options{Threads: 1})
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	j, err := m.Judge()
	if err != nil {
		t.Fatal(err)
	}
	want := map[int][]float32{}
	encode := func(i int) ([]float32, error) {
		v, err := p.Encode(t.Context(), noise(96, 64, uint64(i)))
		if err != nil {
			return nil, err
		}
		defer v.Close()
		maps, err := v.CAM(t.Context(), directions(m, 1))
		if err != nil {
			return nil, err
		}
		return slices.Concat(maps[0], v.Attention()), nil
	}
	for i := range 4 {
		if want[i], err = encode(i); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 3 {
				got, err := encode(i)
				if err != nil {
					t.Error(err)
				} else if !slices.Equal(got, want[i]) {
					t.Errorf("image %d has another result", i)
				}
				if _, err := j.EncodeImages(t.Context(), []*car.Image{noise(96, 96, uint64(i))}); err != nil {
					t.Error(err)
				}
				if _, err := p.EncodeTexts(t.Context(), []string{fmt.Sprint("thing ", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestClosed(t *testing.T) {
	m, err := Open(t.Context(), "demo", Options{Device: "cpu"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Judge(); err == nil {
		t.Error("a closed model has a judge")
	}
	if _, err := p.Encode(t.Context(), noise(96, 96, 1)); err == nil {
		t.Error("a closed proposer encoded an image")
	}
}

// TestDevice: on a machine or with a library without CUDA, cuda is an error and auto is the
// CPU.
func TestDevice(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Device: "tpu"}, "tpu"},
		{Options{Device: "cuda", Precision: Int8}, "for the CPU"},
		{Options{Precision: "fp8"}, "want one of fp32, fp16"},
		{Options{DeviceOptions: map[string]string{"a": "b"}}, "by name"},
	} {
		if m, err := Open(t.Context(), "demo", c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, %v, want an error with %q", c.o, m, err, c.want)
		}
	}
	_, err := openTest(t, "demo", Options{Device: "cuda"}).Judge()
	if err == nil {
		t.Skip("there is a CUDA device")
	}
	if !strings.Contains(err.Error(), "cuda") {
		t.Errorf("device cuda: %v", err)
	}
	if _, err := openTest(t, "demo", Options{Device: "auto"}).Judge(); err != nil {
		t.Errorf("device auto: %v", err)
	}
}
