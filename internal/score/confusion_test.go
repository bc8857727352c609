package score

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/carve-video/carve/internal/annotation"
)

var animals = []annotation.Object{{ID: 1, Name: "dog"}, {ID: 2, Name: "cat"}}

// lettered makes a sequence of one image from a row of letters: d and c are the
// animals, v is void, i is a cat that is ignored, anything else is background.
func lettered(row string) *annotation.Sequence {
	f := &annotation.Frame{W: len(row), H: 1, Ignored: make([]bool, 2), Void: annotation.NewMask(len(row), 1)}
	f.Masks = []*annotation.Mask{annotation.NewMask(len(row), 1), annotation.NewMask(len(row), 1)}
	for x, c := range row {
		switch c {
		case 'd':
			f.Masks[0].Set(x, 0)
		case 'i':
			f.Ignored[1] = true
			fallthrough
		case 'c':
			f.Masks[1].Set(x, 0)
		case 'v':
			f.Void.Set(x, 0)
		}
	}
	return annotation.New(len(row), 1, 1, animals, func(int) (*annotation.Frame, error) { return f, nil })
}

func confused(t *testing.T, truth, result string) *Confusion {
	t.Helper()
	a, b := lettered(truth), lettered(result)
	pairs, err := Match(a, b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Confuse(context.Background(), a, b, pairs, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConfusion(t *testing.T) {
	c := confused(t, "ddddcccc....vv", "ddc.ccdd...dd.")
	want := [][]int64{{3, 1, 0}, {1, 2, 1}, {0, 2, 2}}
	if !reflect.DeepEqual(c.Pixels, want) {
		t.Fatalf("%v, want %v", c.Pixels, want)
	}
	for _, v := range []struct {
		b        Background
		dog, cat float64
		mean     float64
	}{
		{WithBackground, 2. / 7, 2. / 5, (3./5 + 2./7 + 2./5) / 3},
		{WithoutBackground, 2. / 6, 2. / 5, (2./6 + 2./5) / 2},
		{AsReference, 2. / 5, 2. / 5, 2. / 5},
	} {
		if dog, cat, mean := c.IoU(1, v.b), c.IoU(2, v.b), c.MeanIoU(v.b); !near(dog, v.dog) || !near(cat, v.cat) || !near(mean, v.mean) {
			t.Errorf("form %d: %g, %g and %g, want %+v", v.b, dog, cat, mean, v)
		}
	}
	if !math.IsNaN(c.IoU(0, WithoutBackground)) {
		t.Error("the background has an IoU without background")
	}
}

func TestConfusionOfWhatIsNotThere(t *testing.T) {
	// A class that only the result has is not in the mean, but its pixels count as
	// missed for the other classes.
	c := confused(t, "dd..", "dcc.")
	if got, want := c.MeanIoU(WithBackground), (1./2+1./2)/2; !near(got, want) {
		t.Errorf("%g, want %g", got, want)
	}
	if !math.IsNaN(c.IoU(2, WithBackground)) {
		t.Error("a class that is not there has an IoU")
	}
	if got := confused(t, "iidd", "ccdc").Pixels; !reflect.DeepEqual(got, [][]int64{{0, 0, 0}, {0, 1, 1}, {0, 0, 0}}) {
		t.Errorf("ignored pixels: %v", got)
	}
	if c = confused(t, "....", "...."); c.MeanIoU(WithBackground) != 1 || !math.IsNaN(c.MeanIoU(WithoutBackground)) {
		t.Errorf("nothing there: %g, %g", c.MeanIoU(WithBackground), c.MeanIoU(WithoutBackground))
	}
}

func TestOverlapRefused(t *testing.T) {
	both := annotation.New(2, 1, 1, animals, func(int) (*annotation.Frame, error) {
		return &annotation.Frame{W: 2, H: 1, Masks: []*annotation.Mask{drawn("xx"), drawn(".x")}}, nil
	})
	pairs, err := Match(lettered("dc"), both)
	if err != nil {
		t.Fatal(err)
	}
	var overlap *OverlapError
	if _, err := Confuse(context.Background(), lettered("dc"), both, pairs, 0); !errors.As(err, &overlap) || overlap.Object != "cat" || overlap.Pixels != 1 {
		t.Errorf("%v", err)
	}
	if _, err := Confuse(context.Background(), both, lettered("dc"), pairs, 0); !errors.As(err, &overlap) {
		t.Errorf("%v", err)
	}
}

// TestConfusionAgainstNaive compares with a count pixel by pixel.
func TestConfusionAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		row := func(letters string) string {
			b := make([]byte, 130)
			for i := range b {
				b[i] = letters[r.IntN(len(letters))]
			}
			return string(b)
		}
		truth, result := row("dc.v"), row("dc.")
		class := map[byte]int{'.': 0, 'd': 1, 'c': 2}
		want := NewConfusion(animals)
		for i := range truth {
			if truth[i] != 'v' {
				want.Pixels[class[truth[i]]][class[result[i]]]++
			}
		}
		if got := confused(t, truth, result); !reflect.DeepEqual(got.Pixels, want.Pixels) {
			t.Fatalf("%v, want %v", got.Pixels, want.Pixels)
		}
	}
}
