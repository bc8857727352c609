package tracking

import (
	"testing"
	"time"
)

func TestParseInterval(t *testing.T) {
	for s, want := range map[string]Interval{
		"2s": {Time: 2 * time.Second}, "500ms": {Time: time.Second / 2}, "0.5": {Time: time.Second / 2}, "12f": {Frames: 12}, "0f": {}, "0": {},
	} {
		got, err := ParseInterval(s)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "f", "x", "-1s", "-3f", "-2", "1.5f", "NaN", "Inf", "1e9"} {
		if i, err := ParseInterval(s); err == nil {
			t.Errorf("%q is taken as %v", s, i)
		}
	}
}

func FuzzParseInterval(f *testing.F) {
	for _, s := range []string{"2s", "12f", "0.5", "1h2m", "f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		i, err := ParseInterval(s)
		if err != nil {
			return
		}
		if back, err := ParseInterval(i.String()); err != nil || back != i {
			t.Errorf("%q is %v, which is %v, %v", s, i, back, err)
		}
	})
}

func TestElapsed(t *testing.T) {
	at := func(frame int64) Moment { return Moment{frame, time.Duration(frame) * 40 * time.Millisecond} }
	for _, c := range []struct {
		i         Interval
		from, now int64
		want      bool
	}{
		{Frames(3), 0, 2, false}, {Frames(3), 0, 3, true}, {Interval{}, 5, 5, true},
		{Interval{Time: 100 * time.Millisecond}, 0, 1, false},
		{Interval{Time: 100 * time.Millisecond}, 0, 2, true}, // 80 ms, and half a frame
		{Interval{Time: time.Second}, 10, 34, false}, {Interval{Time: time.Second}, 10, 35, true},
	} {
		if got := c.i.Elapsed(at(c.from), at(c.now)); got != c.want {
			t.Errorf("%v from %d to %d: %v", c.i, c.from, c.now, got)
		}
	}
	if s := (Interval{Time: time.Second}).elapsedShare(at(0), at(5)); s != .2 {
		t.Errorf("share %g", s)
	}
	if s := Frames(4).elapsedShare(at(0), at(1)); s != .25 {
		t.Errorf("share %g", s)
	}
}
