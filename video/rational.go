package video

import (
	"fmt"
	"time"

	"github.com/asticode/go-astiav"
)

// A Rational is an exact fraction: a time base in seconds per tick, a frame rate in
// frames per second, an aspect ratio. Den 0 means unknown.
type Rational struct{ Num, Den int }

func (r Rational) String() string { return fmt.Sprintf("%d/%d", r.Num, r.Den) }

// Float returns r as a float, 0 if it is unknown.
func (r Rational) Float() float64 {
	if r.Den == 0 {
		return 0
	}
	return float64(r.Num) / float64(r.Den)
}

// Known reports whether r is a positive fraction.
func (r Rational) Known() bool { return r.Num > 0 && r.Den > 0 }

// Duration returns the duration of that many ticks of the time base r.
func (r Rational) Duration(ticks int64) time.Duration {
	if r.Den == 0 {
		return 0
	}
	// Split into whole seconds and the rest, so that neither overflows for any sensible
	// time base.
	n := ticks * int64(r.Num)
	whole, rest := n/int64(r.Den), n%int64(r.Den)
	return time.Duration(whole)*time.Second + time.Duration(rest*int64(time.Second)/int64(r.Den))
}

func fromAV(r astiav.Rational) Rational { return Rational{r.Num(), r.Den()} }

func (r Rational) av() astiav.Rational { return astiav.NewRational(r.Num, r.Den) }
