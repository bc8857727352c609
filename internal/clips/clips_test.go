package clips

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/carve-video/carve/internal/stickers"
)

// frozen are the hashes of the suites' scripts. The figures of all versions depend on
// them: if a script has to change, a new suite is needed.
var frozen = [Suites]string{
	"915550fe2b4261fce33a9ea945cb4de5a5275f32b20db156ceb06688b78337c0",
	"cd7f1db73eff5fc9f7f1391ae35011ec7d64814fc1d6edf31027841aefe8d3c7",
}

func TestSuitesAreFrozen(t *testing.T) {
	for i, want := range frozen {
		sum, n := sha256.New(), 0
		folder := ""
		for _, k := range Kinds() {
			if k.Suite != i+1 {
				continue
			}
			b, err := scripts.ReadFile(k.script())
			if err != nil {
				t.Fatal(err)
			}
			sum.Write(b)
			n++
			folder = filepath.Dir(k.script())
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != want {
			t.Errorf("the scripts of suite %d have the sum %s, not %s", i+1, got, want)
		}
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != n {
			t.Errorf("%d scripts of %d kinds in %s", len(files), n, folder)
		}
	}
}

// The text of a clip is that of its script, and the script can be read back.
func TestScripts(t *testing.T) {
	var all []Clip
	for n := range Suites {
		suite, err := Suite(n + 1)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, suite...)
	}
	for i, c := range all {
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
	"pair": func(c Clip, s seen) error { return s.together(c, 2) },
	"herd": func(c Clip, s seen) error { return s.together(c, 5) },
	"herd_leaves": func(c Clip, s seen) error {
		begin, end := s.tracks(c, 12), s.tracks(c, c.Len()*3/4)
		if !slices.Contains(begin, 2) || slices.Contains(end, 2) || !slices.Contains(end, 3) {
			return fmt.Errorf("tracks %v at the beginning, and %v at the end", begin, end)
		}
		return nil
	},
	"herd_crosses": func(c Clip, s seen) error { return s.together(c, 3) },
	"herds":        func(c Clip, s seen) error { return s.together(c, 6) },
	"vanishes": func(c Clip, s seen) error {
		for _, track := range []int{1, 2} {
			at := int(c.Tracks[track].Gone[0][0] * rate)
			if before, after := s.tracks(c, at-1), s.tracks(c, at+1); !slices.Contains(before, track) || slices.Contains(after, track) {
				return fmt.Errorf("track %d is among %v before it vanishes, and among %v after it", track, before, after)
			}
		}
		return nil
	},
}

// tracks returns the tracks, from 0, that cover at least a hundredth of a frame.
func (s *seen) tracks(c Clip, n int) (tracks []int) {
	_, truth := c.Frame(n)
	var area [256]int
	for _, t := range truth.Tracks {
		area[t]++
	}
	for t := 1; t < len(area); t++ {
		if area[t]*100 >= len(truth.Tracks) {
			tracks = append(tracks, t-1)
		}
	}
	return tracks
}

// together checks that so many tracks, of which some are of one concept, are seen in one frame,
// and that those of one concept look unlike each other.
func (s *seen) together(c Clip, want int) error {
	most := 0
	for n := 0; n < c.Len(); n += 12 {
		most = max(most, len(s.tracks(c, n)))
	}
	if most < want {
		return fmt.Errorf("%d tracks together, not %d", most, want)
	}
	looks := make(map[string]bool)
	for _, t := range c.Tracks {
		look := t.Concept
		if t.Tone != nil {
			look += fmt.Sprint(*t.Tone)
		}
		if looks[look] {
			return fmt.Errorf("two tracks of %s have one look", t.Concept)
		}
		looks[look] = true
	}
	return nil
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
			for _, seed := range seeds[:len(seeds)/k.Suite] {
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
