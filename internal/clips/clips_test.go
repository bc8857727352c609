package clips

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/carve-video/carve/internal/stickers"
)

// frozen is the hash of the suite's scripts. The figures of all versions depend on
// them: if a script has to change, a new suite is needed.
const frozen = "915550fe2b4261fce33a9ea945cb4de5a5275f32b20db156ceb06688b78337c0"

func TestSuiteIsFrozen(t *testing.T) {
	sum := sha256.New()
	for _, k := range Kinds() {
		b, err := scripts.ReadFile("suite/" + k.Name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(b)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != frozen {
		t.Errorf("the suite's scripts have the sum %s, not %s", got, frozen)
	}
	files, err := os.ReadDir("suite")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(Kinds()) {
		t.Errorf("%d scripts of %d kinds", len(files), len(Kinds()))
	}
}

// The text of a clip is that of its script, and the script can be read back.
func TestScripts(t *testing.T) {
	suite, err := Suite()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range suite {
		if c.Name != Kinds()[i].Name || c.About != Kinds()[i].About {
			t.Errorf("film %d is %s, %q", i, c.Name, c.About)
		}
	}
	for _, k := range Kinds() {
		c, err := Fresh(k.Name, 7)
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.Script()
		if err != nil {
			t.Fatal(err)
		}
		back, err := stickers.ReadClip(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v\n%s", k.Name, err, b)
		}
		if d := cmp.Diff(c.Clip, back, cmpopts.IgnoreUnexported(stickers.Clip{}), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: read back:\n%s", k.Name, d)
		}
	}
}

// seen is what happens in a clip.
type seen struct {
	*stickers.Album
	area map[string][]float64 // of each concept, as a share of the image, by frame
}

func watch(c Clip) seen {
	s := seen{area: make(map[string][]float64)}
	var frames []stickers.AlbumFrame
	for n := range c.Len() {
		_, truth := c.Frame(n)
		frames = append(frames, truth.Words())
		area := make([]float64, len(truth.Names)+1)
		for _, l := range truth.Labels {
			area[l] += 1 / float64(len(truth.Labels))
		}
		for k, name := range truth.Names {
			s.area[name] = append(s.area[name], area[k+1])
		}
	}
	s.Album = c.Album(frames)
	return s
}

func (s *seen) count(event string) (n int) {
	for _, e := range s.Events {
		if e.Event == event {
			n++
		}
	}
	return n
}

// checks checks that the clips do what they are for, whatever the seed.
var checks = map[string]func(c Clip, s seen) error{
	"crossing": func(c Clip, s seen) error {
		if s.count(stickers.Enters) < 2 {
			return errors.New("nothing passes")
		}
		// The object at rest is covered by the one passing over it: at the minimum,
		// little more than half of it is visible, though its size changes much less.
		stands := s.area[c.Tracks[1].Concept]
		if lo, hi := slices.Min(stands), slices.Max(stands); lo > .75*hi {
			return fmt.Errorf("of %s never less than %.2f is seen", c.Tracks[1].Concept, lo/hi)
		}
		return nil
	},
	"return": func(c Clip, s seen) error {
		if n := s.count(stickers.Returns); n < 3 {
			return fmt.Errorf("%d returns", n)
		}
		return nil
	},
	"absent": func(c Clip, s seen) error {
		if len(c.Absent) != 10 || len(c.Concepts()) != 2 {
			return fmt.Errorf("%d absent, %d not", len(c.Absent), len(c.Concepts()))
		}
		return nil
	},
	"lookalikes": func(c Clip, s seen) error {
		near := 0
		for _, g := range alike {
			for _, a := range g {
				for _, b := range g {
					if slices.Contains(c.Absent, a) && slices.Contains(c.Concepts(), b) {
						near++
					}
				}
			}
		}
		if near < 2 {
			return fmt.Errorf("%d absent concepts are like one that is there", near)
		}
		return nil
	},
	"tiny": func(c Clip, s seen) error {
		for name, area := range s.area {
			if hi := slices.Max(area); hi > .03 {
				return fmt.Errorf("%s fills %.3f", name, hi)
			}
		}
		return nil
	},
	"cut": func(c Clip, s seen) error {
		if s.count(stickers.CutTo) != 2 || s.count(stickers.Returns) < 1 {
			return fmt.Errorf("events %v", s.Events)
		}
		for _, e := range s.Events { // nothing else happens at other times
			if !slices.ContainsFunc(s.Events, func(k stickers.Event) bool { return k.Event == stickers.CutTo && k.Frame == e.Frame }) {
				return fmt.Errorf("%v is at no cut", e)
			}
		}
		return nil
	},
	"fade": func(c Clip, s seen) error {
		if s.count(stickers.Fades) != 1 || s.count(stickers.Dissolves) != 1 || s.count(stickers.Leaves) < 4 {
			return fmt.Errorf("events %v", s.Events)
		}
		return nil
	},
	"camera": func(c Clip, s seen) error {
		if s.count(stickers.Returns) < 1 || s.count(stickers.Leaves) < 1 {
			return fmt.Errorf("events %v", s.Events)
		}
		return nil
	},
	"ten": func(c Clip, s seen) error {
		for n, f := range s.Frames {
			if len(f.Present) < 8 {
				return fmt.Errorf("frame %d has %v", n, f.Present)
			}
		}
		return nil
	},
	"one": func(c Clip, s seen) error {
		there := 0
		for _, f := range s.Frames {
			there += len(f.Present)
		}
		if share := float64(there) / float64(len(s.Frames)); len(c.Queries()) != 1 || share < .35 || share > .65 {
			return fmt.Errorf("%v, there in %.2f of the frames", c.Queries(), share)
		}
		return nil
	},
	"light": func(c Clip, s seen) error {
		light := func(n int) (sum float64) {
			img, _ := c.Frame(n)
			for i, v := range img.Pix {
				if i%4 != 3 {
					sum += float64(v)
				}
			}
			return sum
		}
		// Half past one second, and a little past two and a quarter.
		if dark, bright := light(43), light(56); dark > .6*bright {
			return fmt.Errorf("it is %.2f as dark as bright", dark/bright)
		}
		return nil
	},
	"compression": func(c Clip, s seen) error {
		if n := c.Frames - c.Len(); n < c.Frames/8 {
			return fmt.Errorf("%d of %d frames are left out", n, c.Frames)
		}
		return nil
	},
}

func TestKinds(t *testing.T) {
	seeds := []uint64{2, 3}
	if testing.Short() {
		seeds = nil
	}
	for i, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			films := []Clip{}
			standing, err := Standing(k.Name)
			if err != nil {
				t.Fatal(err)
			}
			films = append(films, standing)
			for _, seed := range seeds {
				c, err := Fresh(k.Name, seed+10*uint64(i))
				if err != nil {
					t.Fatal(err)
				}
				films = append(films, c)
			}
			for n, c := range films {
				s := watch(c)
				if err := checks[k.Name](c, s); err != nil {
					t.Errorf("film %d: %v", n, err)
				}
				// Every queried concept is there for a good while, and always large
				// enough to be present.
				for _, name := range c.Concepts() {
					frames := 0
					for _, f := range s.Frames {
						if slices.Contains(f.Present, name) {
							frames++
						}
					}
					if frames < rate {
						t.Errorf("film %d: %s is there in %d frames", n, name, frames)
					}
				}
			}
		})
	}
}

// The same seed gives the same clip, and another seed another one.
func TestFresh(t *testing.T) {
	script := func(name string, seed uint64) string {
		c, err := Fresh(name, seed)
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.Script()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, k := range Kinds() {
		first, again, other := script(k.Name, 4), script(k.Name, 4), script(k.Name, 5)
		if first != again {
			t.Errorf("%s: a seed gives two films", k.Name)
		}
		if first == other {
			t.Errorf("%s: two seeds give one film", k.Name)
		}
	}
	var unknown *UnknownError
	if _, err := Fresh("explosions", 1); !errors.As(err, &unknown) {
		t.Errorf("a kind that there is not: %v", err)
	}
	if _, err := Standing("explosions"); !errors.As(err, &unknown) {
		t.Errorf("a film that there is not: %v", err)
	}
}

// The lookalikes are known concepts, and each is in one group only.
func TestAlike(t *testing.T) {
	in := make(map[string]bool)
	for _, g := range alike {
		for _, name := range g {
			if stickers.Variants(name) == 0 || in[name] {
				t.Errorf("%q is twice there or not of this world", name)
			}
			in[name] = true
		}
	}
}

// manySeeds is the number of seeds to try: no seed may draw a script that is refused.
var manySeeds = flag.Uint64("seeds", 20, "how many seeds are tried")

func TestSeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, k := range Kinds() {
		for seed := range *manySeeds {
			c, err := Fresh(k.Name, seed)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(c.Queries()); n < 1 || n > 14 {
				t.Errorf("%s, seed %d: %d queries", k.Name, seed, n)
			}
		}
	}
}
