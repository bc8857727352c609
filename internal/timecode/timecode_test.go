package timecode

import "testing"

func TestAdd(t *testing.T) {
	for _, c := range []struct {
		from     string
		num, den int64
		add      int64
		want     string
	}{
		{"", 25, 1, 0, "00:00:00:00"},
		{"", 25, 1, 26, "00:00:01:01"},
		{"10:00:00:00", 24000, 1001, 24 * 60, "10:01:00:00"},
		{"01:00:00;00", 30000, 1001, 0, "01:00:00;00"},
		{"00:00:59;29", 30000, 1001, 1, "00:01:00;02"}, // 00 and 01 are left out
		{"00:09:59;29", 30000, 1001, 1, "00:10:00;00"}, // but not in the tenth minute
		{"00:00:59;59", 60000, 1001, 1, "00:01:00;04"},
		{"00:00:00;00", 30000, 1001, 107892, "01:00:00;00"}, // frames of an hour
		{"23:59:59:24", 25, 1, 1, "00:00:00:00"},
		{"00:00:00:00", 25, 1, -1, "23:59:59:24"},
	} {
		code, err := Parse(c.from, c.num, c.den)
		if err != nil {
			t.Errorf("%s: %v", c.from, err)
			continue
		}
		if got := code.Add(c.add).String(); got != c.want {
			t.Errorf("%s + %d at %d/%d: %s, want %s", c.from, c.add, c.num, c.den, got, c.want)
		}
	}
}

// TestRoundTrip: every number of a day that exists is read back.
func TestRoundTrip(t *testing.T) {
	for frame := int64(0); frame < 24*107892; frame += 101 {
		code, _ := Parse("00:00:00;00", 30000, 1001)
		text := code.Add(frame).String()
		again, err := Parse(text, 30000, 1001)
		if err != nil || again.frames != frame {
			t.Fatalf("frame %d is %s, which is read as %d, %v", frame, text, again.frames, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, text := range []string{"early", "1:2:3", "24:00:00:00", "00:60:00:00", "00:00:00:25", "00:00:01;00", "-1:00:00:00"} {
		if c, err := Parse(text, 25, 1); err == nil {
			t.Errorf("%q is taken as %s", text, c)
		}
	}
	if _, err := Parse("", 0, 1); err == nil {
		t.Error("no rate is taken")
	}
}
