package tracking

import (
	"math"
	"slices"
)

// Two instances of a concept that pass each other are one region for a while, and little
// or nothing of the one behind is visible. What reappears then comes from pixels that
// belonged to the one in front, so that pixels cannot tell which is which when they part.
// Their motion and appearance before they met can. A group is the set of tracks that
// share a region, or have not parted since.

// The thresholds of groups were chosen on the standing suite and on clips of seeds 2 and 3
// (see docs/memory.md).
const (
	// hiddenBelow is the visible share of a track's area, compared with when it was last
	// alone, below which its pixels no longer identify it.
	hiddenBelow = 0.25
	// speedGain is the weight of a new measurement in the moving average of the speed.
	speedGain = 0.3
	// maxSpeedInterval is the longest time between two frames, in seconds, from which a
	// speed is measured.
	maxSpeedInterval = 1
	// appearanceWeight is the cost of an appearance that has nothing in common, in
	// distances of one track size (the square root of its area).
	appearanceWeight = 4
	// maxGroupMatched is the largest group whose tracks are matched: n tracks can be
	// matched in n! ways.
	maxGroupMatched = 5
)

// An aloneState is what a track was like when it last had a region of its own.
type aloneState struct {
	at        Moment
	centre    [2]float64 // pixels
	speed     [2]float64 // pixels per second
	area      int
	histogram [histogramBins]float32
}

// updateGroups groups the tracks that share a region, and ends the groups that have
// parted. If tracks of such a group were hidden, it matches them to the regions anew, and
// changes regionOwners accordingly.
func (r *InstanceTracker) updateGroups(step *Step, query int, regions [][]int32, regionOwners [][]uint16) {
	for k, owners := range regionOwners {
		if len(owners) < 2 {
			continue
		}
		r.mergeGroups(owners)
		for _, o := range owners {
			t := r.tracks[o-1]
			t.groupedAt = step.Moment
			t.wasHidden = t.wasHidden || float64(r.countOwned(regions[k], o)) < hiddenBelow*float64(t.alone.area)
		}
	}
	for i, t := range r.tracks {
		if t != nil && t.query == query && t.group > 0 && r.firstOfGroup(t.group) == i {
			r.endGroup(step, t.group, regions, regionOwners)
		}
	}
}

// mergeGroups makes one group of tracks that share a region and of the groups that they
// were in.
func (r *InstanceTracker) mergeGroups(owners []uint16) {
	r.lastGroup++
	for _, o := range owners {
		before := r.tracks[o-1].group
		for _, t := range r.tracks {
			if t != nil && before > 0 && t.group == before {
				t.group = r.lastGroup
			}
		}
		r.tracks[o-1].group = r.lastGroup
	}
}

// firstOfGroup is the index of the first track of a group.
func (r *InstanceTracker) firstOfGroup(group int) int {
	return slices.IndexFunc(r.tracks, func(t *track) bool { return t != nil && t.group == group })
}

// endGroup ends a group if each of its tracks, lost ones too, has a region of its own.
func (r *InstanceTracker) endGroup(step *Step, group int, regions [][]int32, regionOwners [][]uint16) {
	var members []uint16
	hidden, minArea := false, math.MaxInt
	for i, t := range r.tracks {
		if t == nil || t.group != group {
			continue
		}
		if t.groupedAt == step.Moment {
			return
		}
		members = append(members, uint16(i+1))
		hidden = hidden || t.wasHidden || !r.matched[i]
		minArea = min(minArea, t.alone.area)
	}
	var places []int // indices of regions, the largest region first
	for k, owners := range regionOwners {
		if len(owners) == 1 && slices.Contains(members, owners[0]) && float64(len(regions[k])) >= max(hiddenBelow*float64(minArea), minRegionPixels) {
			places = append(places, k)
		}
	}
	if len(places) < len(members) && len(members) > 1 {
		return // a track is still hidden
	}
	if hidden && len(members) > 1 && len(members) <= maxGroupMatched {
		places = places[:len(members)]
		for i, o := range r.matchByMotion(step, regions, places, members) {
			r.matched[o-1] = true
			regionOwners[places[i]] = []uint16{o}
			r.assignRegion(regions[places[i]], regionOwners[places[i]])
		}
	}
	for _, o := range members {
		r.tracks[o-1].group, r.tracks[o-1].wasHidden = 0, false
	}
}

// countOwned is the number of pixels of a region that an owner has.
func (r *InstanceTracker) countOwned(region []int32, owner uint16) (n int) {
	for _, p := range region {
		if r.owners[p] == owner {
			n++
		}
	}
	return n
}

// matchByMotion matches the members of a group to the regions at places, and returns the
// owner for each place. It minimises the total cost: the distance of each track from where
// its speed would have brought it, and the difference of appearance.
func (r *InstanceTracker) matchByMotion(step *Step, regions [][]int32, places []int, members []uint16) []uint16 {
	costs := make([][]float64, len(places))
	for i, k := range places {
		histogram, _ := r.appearance(step.Image, regions[k])
		c := centroid(regions[k], r.w)
		for _, o := range members {
			s := &r.tracks[o-1].alone
			elapsed := (step.Time - s.at.Time).Seconds()
			distance := math.Hypot(s.centre[0]+s.speed[0]*elapsed-c[0], s.centre[1]+s.speed[1]*elapsed-c[1])
			costs[i] = append(costs[i], distance/math.Sqrt(float64(max(s.area, 1)))+appearanceWeight*float64(1-histogramOverlap(&s.histogram, &histogram)))
		}
	}
	var best []uint16
	minCost := math.Inf(1)
	var search func(assigned []uint16, cost float64)
	search = func(assigned []uint16, cost float64) {
		if cost >= minCost {
			return
		}
		if len(assigned) == len(places) {
			best, minCost = slices.Clone(assigned), cost
			return
		}
		for i, o := range members {
			if !slices.Contains(assigned, o) {
				search(append(assigned, o), cost+costs[len(assigned)][i])
			}
		}
	}
	search(nil, 0)
	return best
}

// centroid is the mean position of a region's pixels.
func centroid(region []int32, w int) (c [2]float64) {
	for _, p := range region {
		c[0] += float64(int(p) % w)
		c[1] += float64(int(p) / w)
	}
	n := float64(max(len(region), 1))
	return [2]float64{c[0] / n, c[1] / n}
}

// updateMotion updates the state of a track that is alone. The speed is not measured at
// the frame's edge, where the centre of the visible part moves differently from the object.
func (t *track) updateMotion(now Moment, centre [2]float64, atEdge bool) {
	s := &t.alone
	if elapsed := (now.Time - s.at.Time).Seconds(); s.area > 0 && elapsed > 0 && elapsed < maxSpeedInterval && !atEdge {
		for i := range s.speed {
			v := (centre[i] - s.centre[i]) / elapsed
			if t.hasSpeed {
				v = s.speed[i] + speedGain*(v-s.speed[i])
			}
			s.speed[i] = v
		}
		t.hasSpeed = true
	}
	s.at, s.centre, s.area, s.histogram = now, centre, t.area, t.histogram
}
