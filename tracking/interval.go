package tracking

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Moment is the position of a frame in a video.
type Moment struct {
	Frame int64         `json:"frame"`
	Time  time.Duration `json:"time_ns"`
}

// An Interval is a span of a video, in time or in frames. The zero Interval elapses at
// once.
type Interval struct {
	Time   time.Duration
	Frames int64 // used if Time is 0
}

// Frames returns the interval of n frames.
func Frames(n int64) Interval { return Interval{Frames: n} }

// ParseInterval reads "2s", "500ms", a number of seconds such as "0.5", or a
// number of frames such as "12f".
func ParseInterval(s string) (Interval, error) {
	invalid := fmt.Errorf("%q is no interval: write seconds (2s, 0.5) or frames (12f)", s)
	if n, ok := strings.CutSuffix(s, "f"); ok {
		v, err := strconv.ParseInt(n, 10, 64)
		if err != nil || v < 0 {
			return Interval{}, invalid
		}
		return Interval{Frames: v}, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		v, e := strconv.ParseFloat(s, 64)
		if e != nil || !(v >= 0 && v < 1e6) {
			return Interval{}, invalid
		}
		d = time.Duration(v * float64(time.Second))
	}
	if d < 0 {
		return Interval{}, invalid
	}
	return Interval{Time: d}, nil
}

// Elapsed reports whether the interval has elapsed between two moments. Half a frame less
// counts too, because the times of frames are rounded.
func (i Interval) Elapsed(since, now Moment) bool {
	if i.Time == 0 {
		return now.Frame-since.Frame >= i.Frames
	}
	frame := time.Duration(0)
	if n := now.Frame - since.Frame; n > 0 {
		frame = (now.Time - since.Time) / time.Duration(n)
	}
	return now.Time-since.Time+frame/2 >= i.Time
}

// elapsedShare is the share of the interval that has elapsed between two moments; it may
// exceed 1.
func (i Interval) elapsedShare(since, now Moment) float64 {
	switch {
	case i.Time > 0:
		return float64(now.Time-since.Time) / float64(i.Time)
	case i.Frames > 0:
		return float64(now.Frame-since.Frame) / float64(i.Frames)
	}
	return 1
}

// String formats the interval as ParseInterval reads it.
func (i Interval) String() string {
	if i.Time > 0 {
		return i.Time.String()
	}
	return strconv.FormatInt(i.Frames, 10) + "f"
}

// Set implements pflag's and flag's Value.
func (i *Interval) Set(s string) (err error) {
	*i, err = ParseInterval(s)
	return err
}

// Type implements pflag's Value.
func (i *Interval) Type() string { return "interval" }
