package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

func TestKeySpacing(t *testing.T) {
	for s, want := range map[string]keySpacing{"auto": 0, "1": 1, "8f": 8} {
		var k keySpacing
		if err := k.Set(s); err != nil || k != want {
			t.Errorf("%q: %d, %v", s, k, err)
		}
	}
	for _, s := range []string{"", "0", "-1", "1.5", "8s", "1e9"} {
		if err := new(keySpacing).Set(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
	auto, eight := keySpacing(0), keySpacing(8)
	if auto.String() != "auto" || eight.String() != "8" {
		t.Errorf("%v, %v", &auto, &eight)
	}
}

func TestLookaheadFrames(t *testing.T) {
	for _, c := range []struct {
		of   string
		rate video.Rational
		want int
	}{
		{"8f", video.Rational{Num: 25, Den: 1}, 8}, {"0f", video.Rational{Num: 25, Den: 1}, 0},
		{"0.5", video.Rational{Num: 30000, Den: 1001}, 14}, {"0.5", video.Rational{}, 0},
		{"1h", video.Rational{Num: 25, Den: 1}, maxLookahead}, {"100000f", video.Rational{}, maxLookahead},
	} {
		var o memoryOptions
		if err := o.lookahead.Set(c.of); err != nil {
			t.Fatal(err)
		}
		if got := o.lookaheadFrames(c.rate); got != c.want {
			t.Errorf("%s at %v: %d frames, want %d", c.of, c.rate, got, c.want)
		}
	}
}

// Every pixel of a soft mask is drawn for one thing of the concept, and the
// outline for the nearest.
func TestShareOut(t *testing.T) {
	const w, h = 24, 8
	left, right := make([]uint8, w*h), make([]uint8, w*h)
	soft := make([]float32, w*h)
	for y := range h {
		for x := range w {
			switch p := y*w + x; {
			case x >= 4 && x < 10:
				left[p], soft[p] = 1, .9
			case x >= 12 && x < 18:
				right[p], soft[p] = 1, .8
			case x == 3 || x == 10 || x == 11 || x == 18:
				soft[p] = .4
			case x == 23:
				soft[p] = .3 // nobody's
			}
		}
	}
	own := []*tracking.Instance{{ID: 1, Mask: left}, {ID: 4, Mask: right}}
	shares := shareOut(soft, own, w, h)
	for x, want := range map[int]int{3: 0, 5: 0, 10: 0, 11: 1, 13: 1, 18: 1, 23: -1, 1: -1} {
		for k := range shares {
			p := 4*w + x
			if got := shares[k][p]; (k == want) != (got == soft[p] && got > 0) {
				t.Errorf("column %d: %g for thing %d", x, got, k)
			}
		}
	}

	found := []car.Found{{Query: 1, Label: "dog", Probability: soft, Judgement: car.Judgement{Score: .7}}, {Query: 0, Label: "cat", Probability: soft}}
	colours := [][3]uint8{{10, 10, 10}, {200, 100, 0}}
	parts := partsOf(found, []tracking.Instance{{Query: 1, ID: 1, Mask: left}, {Query: 1, ID: 4, Mask: right}}, colours, w, h)
	if len(parts) != 3 || parts[0].label != "dog 1" || parts[1].label != "dog 4" || parts[2].label != "cat" {
		t.Fatalf("%+v", parts)
	}
	if parts[0].colour != colours[1] || parts[1].colour == colours[1] || parts[2].colour != colours[0] || parts[0].score != .7 || parts[2].id != 0 {
		t.Errorf("%+v", parts)
	}
	// One thing alone has all of the soft mask.
	parts = partsOf(found[:1], []tracking.Instance{{Query: 1, ID: 2, Mask: left}}, colours, w, h)
	if len(parts) != 1 || &parts[0].probability[0] != &soft[0] || parts[0].label != "dog 2" {
		t.Errorf("%+v", parts)
	}
}

// A plot is XML, with a row for each query and a mark for each judgement, whatever
// the queries are called.
func TestPlot(t *testing.T) {
	var frames []tracking.Explanation
	for i := range 50 {
		e := tracking.Explanation{Moment: tracking.Moment{Frame: int64(i), Time: time.Duration(i) * 40 * time.Millisecond}, Blank: i == 30,
			Queries: []tracking.QueryExplanation{{Label: "<dog> & co", State: "present"}, {Label: "cat", State: "absent"}}}
		if i%5 == 0 {
			e.Key, e.Fresh = "every", i == 0
			e.Queries[0].Verdict, e.Queries[1].Verdict = "spared", "judged"
			e.Queries[1].Presence = .5
			if i == 45 {
				e.Queries[0].Verdict = "standing" // did not pass: a judgement too
			}
		}
		frames = append(frames, e)
	}
	svg := plot(frames)
	in := xml.NewDecoder(strings.NewReader(svg))
	counts := map[string]int{}
	text := ""
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			counts[x.Name.Local]++
		case xml.CharData:
			text += string(x)
		}
	}
	// Bars of 50 frames, one blank, and the ground; eleven judgements; ten key frames
	// less the blank one, nine spared, and two lines.
	if counts["rect"] != 50+1+1 || counts["circle"] != 11 || counts["path"] != 9+9+2 {
		t.Errorf("%v", counts)
	}
	if !strings.Contains(text, "<dog> & co") {
		t.Error("a query's name is not there")
	}
	// What was shown counts, where that is known: here in two frames, and not in one in
	// which it was taken to be there.
	yes, no := true, false
	frames[0].Queries[1].Shown, frames[1].Queries[1].Shown, frames[2].Queries[0].Shown = &yes, &yes, &no
	if got, want := strings.Count(plot(frames), "<rect"), counts["rect"]+2-1; got != want {
		t.Errorf("%d rectangles, want %d", got, want)
	}
	plot(frames[:1]) // a single frame has no length
}

// TestExplanationShows: a frame is written when it is drawn, with what it shows then.
func TestExplanationShows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "why.jsonl")
	e, err := openExplanation(&segmentOptions{explain: path}, false, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer e.abort()
	x := tracking.Explanation{Queries: []tracking.QueryExplanation{{Label: "dog", State: "present"}, {Label: "cat", State: "absent"}}}
	e.tell(&x)
	x.Frame, x.Queries[1].State = 1, "present" // a tracker fills in the same one again
	e.tell(&x)
	e.show(0, []car.Found{{Query: 1}}) // found late, and shown from where it began
	e.show(1, nil)
	if err := e.prepare(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.commit(); err != nil {
		t.Fatal(err)
	}
	frames, err := readExplanations(path)
	if err != nil || len(frames) != 2 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	for i, want := range [][2]bool{{false, true}, {false, false}} {
		if q := frames[i].Queries; wasShown(&q[0]) != want[0] || wasShown(&q[1]) != want[1] || frames[i].Frame != int64(i) {
			t.Errorf("frame %d: %+v", i, frames[i])
		}
	}
	if got := frames[0].Queries[1].State; got != "absent" {
		t.Errorf("the first frame has the second one's state %q", got)
	}
}

func TestReadExplanations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "why.jsonl")
	for _, text := range []string{"", "{", "{}\n", `{"queries":[{"label":"a"}]}` + "\n" + `{"queries":[]}`, "not JSON\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readExplanations(path); err == nil {
			t.Errorf("%q is read", text)
		}
	}
	if err := os.WriteFile(path, []byte(`{"frame":3,"queries":[{"label":"a"}]}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if e, err := readExplanations(path); err != nil || len(e) != 1 || e[0].Frame != 3 {
		t.Errorf("%v, %v", e, err)
	}
}
