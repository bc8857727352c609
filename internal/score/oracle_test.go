package score

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/golden"
)

// oracle is what the DAVIS benchmark's own metrics say of two methods' masks, one of
// which is used as the truth.
type oracle struct {
	Clips map[string]struct {
		Frames int     `json:"frames"`
		Shape  [2]int  `json:"shape"` // height, width
		FG     *figure `json:"fg"`
		O1R1   *figure `json:"o1_r1"`
		O1R2   *figure `json:"o1_r2"`
	} `json:"clips"`
}

// figure is mean, recall and decay, of all frames and of all but the first and last,
// and the values of three frames.
type figure struct {
	J       [3]float64 `json:"J"`
	F       [3]float64 `json:"F"`
	JFirst3 [3]float64 `json:"J_first3"`
	FFirst3 [3]float64 `json:"F_first3"`
	JMid    [3]float64 `json:"J_mid"`
	FMid    [3]float64 `json:"F_mid"`
}

// rounding is the error of the oracle's figures, which have six digits.
const rounding = 1e-6

func TestOracle(t *testing.T) {
	dir := golden.Shared(t, "davis-oracle")
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var o oracle
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	if len(o.Clips) == 0 {
		t.Fatal("the oracle has no clips")
	}
	for name, clip := range o.Clips {
		t.Run(name, func(t *testing.T) {
			truth := open(t, filepath.Join(dir, "osvos", name))
			result := open(t, filepath.Join(dir, "rvos", name))
			if truth.Len() != clip.Frames || truth.H != clip.Shape[0] || truth.W != clip.Shape[1] {
				t.Fatalf("%d frames of %dx%d", truth.Len(), truth.W, truth.H)
			}
			check(t, "o1_r1", clip.O1R1, follow(t, truth, result, Pair{truth.Objects[0], indexByID(truth, 1), indexByID(result, 1)}))
			check(t, "o1_r2", clip.O1R2, follow(t, truth, result, Pair{truth.Objects[0], indexByID(truth, 1), indexByID(result, 2)}))
			check(t, "fg", clip.FG, follow(t, anything(truth), anything(result), Pair{annotation.Object{ID: 1}, 0, 0}))
		})
	}
}

func check(t *testing.T, what string, want *figure, got *Track) {
	t.Helper()
	if want == nil {
		t.Errorf("%s: the oracle has no figures", what)
		return
	}
	near := func(of string, got, want [3]float64) {
		t.Helper()
		for i := range got {
			if math.Abs(got[i]-want[i]) > rounding {
				t.Errorf("%s %s: %.7f, want %.6f", what, of, got, want)
				return
			}
		}
	}
	all, mid := got.Regions(false), got.Regions(true)
	near("J", triple(all.J), want.J)
	near("F", triple(all.F), want.F)
	near("J without ends", triple(mid.J), want.JMid)
	near("F without ends", triple(mid.F), want.FMid)
	near("J of three frames", [3]float64{got.J(0), got.J(1), got.J(2)}, want.JFirst3)
	near("F of three frames", [3]float64(got.F[:3]), want.FFirst3)
}

func triple(s Stat) [3]float64 { return [3]float64{s.Mean, s.Recall, s.Decay} }

func open(t testing.TB, path string) *annotation.Sequence {
	t.Helper()
	s, err := annotation.Open(context.Background(), path, annotation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func indexByID(s *annotation.Sequence, id int) int {
	for i, o := range s.Objects {
		if o.ID == id {
			return i
		}
	}
	return -1
}

func follow(t testing.TB, truth, result *annotation.Sequence, p Pair) *Track {
	t.Helper()
	tracks, err := Follow(context.Background(), truth, result, []Pair{p}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return tracks.Objects[0]
}

// anything merges all objects of a sequence into one.
func anything(s *annotation.Sequence) *annotation.Sequence {
	return annotation.New(s.W, s.H, s.Len(), []annotation.Object{{ID: 1}}, func(i int) (*annotation.Frame, error) {
		f, err := s.Frame(i)
		if err != nil {
			return nil, err
		}
		all := annotation.NewMask(s.W, s.H)
		for _, m := range f.Masks {
			all.Add(m)
		}
		f.Masks = []*annotation.Mask{all}
		return f, nil
	})
}
