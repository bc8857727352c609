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

// TestPlot: a plot is XML, with a row for each query and a mark for each judgement,
// whatever the names of the queries.
func TestPlot(t *testing.T) {
	var frames []tracking.Explanation
	for i := range 50 {
		e := tracking.Explanation{Moment: tracking.Moment{Frame: int64(i), Time: time.Duration(i) * 40 * time.Millisecond}, Blank: i == 30,
			Queries: []tracking.QueryExplanation{{Label: "<dog> & co", State: "present"}, {Label: "cat", State: "absent"}}}
		if i%5 == 0 {
			e.Key, e.NewShot = "interval", i == 0
			e.Queries[0].Verdict, e.Queries[1].Verdict = tracking.Reused, tracking.Judged
			e.Queries[1].Presence = .5
			if i == 45 {
				e.Queries[0].Verdict = "retained" // failed, but is a judgement, too
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
	// Rectangles: bars of 50 frames, one blank frame, and the background. Circles: eleven
	// judgements. Paths: ten key frames without the blank one, nine reused judgements, and
	// two lines.
	if counts["rect"] != 50+1+1 || counts["circle"] != 11 || counts["path"] != 9+9+2 {
		t.Errorf("%v", counts)
	}
	if !strings.Contains(text, "<dog> & co") {
		t.Error("a query's name is missing")
	}
	// Shown takes precedence over State: here two more frames show a query, and one does not
	// although its state is present.
	yes, no := true, false
	frames[0].Queries[1].Shown, frames[1].Queries[1].Shown, frames[2].Queries[0].Shown = &yes, &yes, &no
	if got, want := strings.Count(plot(frames), "<rect"), counts["rect"]+2-1; got != want {
		t.Errorf("%d rectangles, want %d", got, want)
	}
	plot(frames[:1]) // a single frame has no length
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
