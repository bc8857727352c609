package stickers

import (
	"cmp"
	"math"
	"slices"
)

// An Event happens in a clip at a frame.
type Event struct {
	Frame int    `json:"frame"`
	Until int    `json:"until,omitempty"` // last frame of a longer event
	Event string `json:"event"`
	// Concept enters, leaves or returns.
	Concept string `json:"concept,omitempty"`
}

// Kinds of events. A concept that is in the first frame of the clip has not entered.
const (
	Enters    = "enter"    // Frame is the first that has it
	Leaves    = "leave"    // Frame is the first that no longer has it
	Returns   = "return"   // Frame is the first that has it again
	CutTo     = "cut"      // Frame is the first of the new shot
	Dissolves = "dissolve" // from the first frame that has both to the last
	Fades     = "fade"     // the same, for the colour
)

// Album returns the description of the clip. frames are the descriptions from its
// truths.
func (c *Clip) Album(frames []AlbumFrame) *Album {
	a := &Album{About: c.About, Rate: c.Rate.String(), Absent: c.Absent, Frames: frames}
	for n := range c.Len() {
		a.Times = append(a.Times, math.Round(c.Seconds(n)*1e6)/1e6)
	}
	for i, t := range c.Tracks {
		a.Tracks = append(a.Tracks, AlbumTrack{i + 1, t.Concept})
	}
	a.Events = slices.Concat(c.shotEvents(), conceptEvents(frames))
	slices.SortStableFunc(a.Events, func(a, b Event) int { return cmp.Compare(a.Frame, b.Frame) })
	return a
}

// shotEvents returns the events that concern no concept.
func (c *Clip) shotEvents() []Event {
	var events []Event
	// span adds an event for the frames for which seen is true, if any.
	span := func(what string, seen func(sec float64) bool) {
		first, last := -1, 0
		for n := range c.Len() {
			if seen(c.Seconds(n)) {
				if first < 0 {
					first = n
				}
				last = n
			}
		}
		if first >= 0 {
			events = append(events, Event{Frame: first, Until: last, Event: what})
		}
	}
	for _, k := range c.Cuts {
		if k.Dissolve > 0 {
			span(Dissolves, func(sec float64) bool { return sec > k.T-k.Dissolve/2 && sec < k.T+k.Dissolve/2 })
			continue
		}
		for n := 1; n < c.Len(); n++ {
			if c.Seconds(n-1) < k.T && c.Seconds(n) >= k.T {
				events = append(events, Event{Frame: n, Event: CutTo})
			}
		}
	}
	for _, f := range c.Fades {
		span(Fades, func(sec float64) bool { return f.share(sec) > 1e-6 })
	}
	return events
}

// conceptEvents returns which concepts enter, leave and return. A concept that is
// ignored in a frame does none of these there.
func conceptEvents(frames []AlbumFrame) []Event {
	var events []Event
	there := make(map[string]bool)
	before := make(map[string]bool)
	for n, f := range frames {
		for _, name := range f.Labels {
			now := slices.Contains(f.Present, name)
			switch {
			case slices.Contains(f.Ignored, name) || now == there[name]:
				continue
			case !now:
				events = append(events, Event{Frame: n, Event: Leaves, Concept: name})
			case before[name]:
				events = append(events, Event{Frame: n, Event: Returns, Concept: name})
			case n > 0:
				events = append(events, Event{Frame: n, Event: Enters, Concept: name})
			}
			there[name], before[name] = now, true
		}
	}
	return events
}
