// Package timecode counts SMPTE time codes (ST 12-1).
package timecode

import (
	"fmt"
	"math"
)

// A Code is the number of a frame, counted from 00:00:00:00.
type Code struct {
	frames int64
	rate   int64 // frames that are counted in a second
	drop   bool  // two numbers in 30 are left out each minute, but not each tenth
}

// Parse reads hh:mm:ss:ff, or hh:mm:ss;ff with dropped numbers, for frames at a rate of
// num/den. The empty text is the first frame of a day.
func Parse(text string, num, den int64) (Code, error) {
	if num <= 0 || den <= 0 {
		return Code{}, fmt.Errorf("time code: the frame rate is not known")
	}
	c := Code{rate: int64(math.Round(float64(num) / float64(den)))}
	if c.rate < 1 {
		return Code{}, fmt.Errorf("time code: %d/%d frames a second are less than one", num, den)
	}
	if text == "" {
		return c, nil
	}
	var h, m, s, f int64
	var mark rune
	if _, err := fmt.Sscanf(text, "%d:%d:%d%c%d", &h, &m, &s, &mark, &f); err != nil || mark != ':' && mark != ';' && mark != '.' {
		return Code{}, fmt.Errorf("time code %q: it is not hh:mm:ss:ff", text)
	}
	c.drop = mark != ':'
	if min(h, m, s, f) < 0 || h > 23 || m > 59 || s > 59 || f >= c.rate || c.drop && c.rate%30 != 0 {
		return Code{}, fmt.Errorf("time code %q: there is none such at %d frames a second", text, c.rate)
	}
	minutes := h*60 + m
	c.frames = (minutes*60+s)*c.rate + f - c.dropped()*(minutes-minutes/10)
	return c, nil
}

// dropped is how many numbers are left out in a minute.
func (c Code) dropped() int64 {
	if !c.drop {
		return 0
	}
	return c.rate / 15
}

// Add returns the code that many frames later.
func (c Code) Add(frames int64) Code {
	c.frames += frames
	return c
}

// String writes the code. After a day it begins again.
func (c Code) String() string {
	if c.rate == 0 {
		return ""
	}
	d := c.dropped()
	tenMinutes := 600*c.rate - 9*d
	day := 144 * tenMinutes
	n := (c.frames%day + day) % day
	tens, rest := n/tenMinutes, n%tenMinutes
	n += 9 * d * tens
	if d > 0 && rest >= d {
		n += d * ((rest - d) / (60*c.rate - d))
	}
	mark := ':'
	if c.drop {
		mark = ';'
	}
	s := n / c.rate
	return fmt.Sprintf("%02d:%02d:%02d%c%02d", s/3600, s/60%60, s%60, mark, n%c.rate)
}
