//go:build linux

package main

import (
	"strings"
	"testing"
)

// Messages before the first key frame, and those of other streams' decoders, are no
// damage; the others are sorted by their source.
func TestReading(t *testing.T) {
	r := parseReading(`[h264 @ 0x1] early
frame|key_frame=0|best_effort_timestamp_time=0.000000|duration_time=0.1
[h264 @ 0x1] early as well
frame|key_frame=1|best_effort_timestamp_time=0.100000|duration_time=0.1
[h264 @ 0x1] late
[aac @ 0x2] of no interest
frame|key_frame=0|best_effort_timestamp_time=0.200000|duration_time=0.1|side_data|x=1
[avi @ 0x3] cut
in.mp4: bad
program|stream|duration=0.7
stream|duration=0.7|disposition:default=0|tag:DURATION=00:00:09.0

`)
	if r.frames != 3 || len(r.all) != 6 || strings.Join(r.decoder, "|") != "[h264 @ 0x1] late" || strings.Join(r.demuxer, "|") != "[avi @ 0x3] cut" || len(r.early) != 2 {
		t.Errorf("%+v", r)
	}
	if r.covered < 0.299 || r.covered > 0.301 || r.stated != 0.7 || !r.short() {
		t.Errorf("%+v", r)
	}
	// Without a key frame all messages are early; times may be unknown.
	r = parseReading("frame|key_frame=0|best_effort_timestamp_time=N/A|duration_time=N/A\n[h264 @ 0x1] later\nstream|duration=N/A|tag:DURATION=00:00:01.5\n")
	if len(r.decoder) > 0 || len(r.early) != 1 || r.frames != 1 || r.stated != 1.5 {
		t.Errorf("%+v", r)
	}
}

func TestDamage(t *testing.T) {
	for name, c := range map[string]struct {
		r    reading
		want string // the beginning; empty for none
	}{
		"sound":               {reading{frames: 12, covered: 1, stated: 1, step: 0.084}, ""},
		"nothing readable":    {reading{decoder: []string{"x"}}, ""},
		"decoder":             {reading{frames: 12, decoder: []string{"x"}}, "the decoder said: x"},
		"early":               {reading{frames: 12, early: []string{"x"}}, ""},
		"demuxer, all there":  {reading{frames: 12, demuxer: []string{"x"}}, ""},
		"demuxer":             {reading{frames: 11, demuxer: []string{"x"}}, "11 of 12 frames, and the demuxer said: x"},
		"short":               {reading{frames: 9, covered: 0.75, stated: 1, step: 0.08}, "9 of 12 frames: it ends after 0.75"},
		"two frames short":    {reading{frames: 10, covered: 0.84, stated: 1, step: 0.084}, ""},
		"one in a hundred":    {reading{frames: 12, covered: 99.1, stated: 100, step: 0.01}, ""},
		"a length that lies":  {reading{frames: 12, covered: 1, stated: 50_000, step: 0.08}, ""},
		"fewer, nobody knows": {reading{frames: 6, covered: 0.5, step: 0.08}, ""},
	} {
		if got := c.r.damage(12, 1); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if r := (&reading{frames: 1, early: []string{"x"}}); r.damage(1, 0.04) != "the decoder said of the only picture: x" {
		t.Error("a damaged still is sound")
	}
	if clockSeconds("01:02:03.5") != 3723.5 || clockSeconds("") != 0 || clockSeconds("a:b") != 0 {
		t.Error("a clock is read wrong")
	}
}
