package tracking

import (
	"math"
	"slices"
)

// Two of a kind that meet and pass are one region for a while, and of the one behind
// little or nothing is to be seen. What comes out from behind belonged, a frame ago,
// to the one before it: pixels do not tell who is who when they part. How each of
// them moved before they met does, and how it looked.

const (
	// mostlyHidden is the share of its area, when it was last alone, below which pixels
	// no longer tell that a thing is this one.
	mostlyHidden = 0.25
	// steadily is the share of a new value in the mean of a thing's speed.
	steadily = 0.3
	// stride is the time in seconds between two frames that a speed is taken from, at
	// most: over a longer one it says little of how the thing moved.
	stride = 1
	// lookSays is how many of its own lengths a thing counts as off for a look that has
	// nothing in common with its own.
	lookSays = 4
	// mostParted bounds how many are told apart at once: there are n! ways.
	mostParted = 5
)

// A solo is what a thing was like when it was last alone: in one region, of its own.
type aloneState struct {
	at        Moment
	centre    [2]float64 // pixels
	speed     [2]float64 // pixels a second
	area      int
	histogram [histogramBins]float32
}

// meet notes who shares a region with others, and finds out who is who when they
// part, if one of them was hidden. claims are changed with it.
func (r *InstanceTracker) updateGroups(step *Step, query int, regions [][]int32, claims [][]uint16) {
	for k, of := range claims {
		if len(of) < 2 {
			continue
		}
		r.mergeGroups(of)
		for _, o := range of {
			t := r.tracks[o-1]
			t.groupedAt = step.Moment
			t.wasHidden = t.wasHidden || float64(r.countOwned(regions[k], o)) < mostlyHidden*float64(t.alone.area)
		}
	}
	for i, t := range r.tracks {
		if t != nil && t.query == query && t.group > 0 && int(r.firstOf(t.group)) == i+1 {
			r.endGroup(step, t.group, regions, claims)
		}
	}
}

// join makes a meeting of those who share a region, and of whom they had met already.
func (r *InstanceTracker) mergeGroups(of []uint16) {
	r.groups++
	for _, o := range of {
		before := r.tracks[o-1].group
		for _, t := range r.tracks {
			if t != nil && before > 0 && t.group == before {
				t.group = r.groups
			}
		}
		r.tracks[o-1].group = r.groups
	}
}

// first is who of a meeting is known longest.
func (r *InstanceTracker) firstOf(meeting int) uint16 {
	return uint16(1 + slices.IndexFunc(r.tracks, func(t *track) bool { return t != nil && t.group == meeting }))
}

// parted ends a meeting if all of it, lost ones too, have a place of their own.
func (r *InstanceTracker) endGroup(step *Step, meeting int, regions [][]int32, claims [][]uint16) {
	var who []uint16
	hidden, least := false, math.MaxInt
	for i, t := range r.tracks {
		if t == nil || t.group != meeting {
			continue
		}
		if t.groupedAt == step.Moment {
			return
		}
		who = append(who, uint16(i+1))
		hidden = hidden || t.wasHidden || !r.matched[i]
		least = min(least, t.alone.area)
	}
	var places []int // the largest first, as regions are
	for k, of := range claims {
		if len(of) == 1 && slices.Contains(who, of[0]) && float64(len(regions[k])) >= max(mostlyHidden*float64(least), crumbPixels) {
			places = append(places, k)
		}
	}
	if len(places) < len(who) && len(who) > 1 {
		return // somebody is still behind
	}
	if hidden && len(who) > 1 && len(who) <= mostParted {
		places = places[:len(who)]
		for i, o := range r.matchByMotion(step, regions, places, who) {
			r.matched[o-1] = true
			claims[places[i]] = []uint16{o}
			r.assignRegion(regions[places[i]], claims[places[i]])
		}
	}
	for _, o := range who {
		r.tracks[o-1].group, r.tracks[o-1].wasHidden = 0, false
	}
}

// owned is how many pixels of a region are somebody's.
func (r *InstanceTracker) countOwned(region []int32, owner uint16) (n int) {
	for _, p := range region {
		if r.owners[p] == owner {
			n++
		}
	}
	return n
}

// likeliest gives each of the places to one of the things, such that all together are
// the least away from where they would be by now and from how they looked.
func (r *InstanceTracker) matchByMotion(step *Step, regions [][]int32, places []int, things []uint16) []uint16 {
	costs := make([][]float64, len(places))
	for i, k := range places {
		look, _ := r.appearance(step.Image, regions[k])
		m := centroid(regions[k], r.w)
		for _, o := range things {
			s := &r.tracks[o-1].alone
			passed := (step.Time - s.at.Time).Seconds()
			off := math.Hypot(s.centre[0]+s.speed[0]*passed-m[0], s.centre[1]+s.speed[1]*passed-m[1])
			costs[i] = append(costs[i], off/math.Sqrt(float64(max(s.area, 1)))+lookSays*float64(1-histogramOverlap(&s.histogram, &look)))
		}
	}
	var best []uint16
	least := math.Inf(1)
	var deal func(dealt []uint16, cost float64)
	deal = func(dealt []uint16, cost float64) {
		if cost >= least {
			return
		}
		if len(dealt) == len(places) {
			best, least = slices.Clone(dealt), cost
			return
		}
		for i, o := range things {
			if !slices.Contains(dealt, o) {
				deal(append(dealt, o), cost+costs[len(dealt)][i])
			}
		}
	}
	deal(nil, 0)
	return best
}

// middle is the mean of a region's pixels.
func centroid(region []int32, w int) (m [2]float64) {
	for _, p := range region {
		m[0] += float64(int(p) % w)
		m[1] += float64(int(p) / w)
	}
	n := float64(max(len(region), 1))
	return [2]float64{m[0] / n, m[1] / n}
}

// walk notes where and how a thing is that is alone. Where the picture cuts it off
// its middle does not move as it does.
func (t *track) updateMotion(now Moment, middle [2]float64, atEdge bool) {
	s := &t.alone
	if passed := (now.Time - s.at.Time).Seconds(); s.area > 0 && passed > 0 && passed < stride && !atEdge {
		for i := range s.speed {
			v := (middle[i] - s.centre[i]) / passed
			if t.hasSpeed {
				v = s.speed[i] + steadily*(v-s.speed[i])
			}
			s.speed[i] = v
		}
		t.hasSpeed = true
	}
	s.at, s.centre, s.area, s.histogram = now, middle, t.area, t.histogram
}
