package tracking

import (
	"math"
	"slices"
)

// While two instances of a query pass each other they are one region, and little or nothing
// of the one behind is visible. When they part, pixels cannot tell which is which, because
// what reappears comes from pixels that belonged to the one in front. Their motion and
// appearance from before they met can tell. A group is a set of tracks that share a region,
// or have not parted since they did.

// An aloneState is what a track was like when it last had a region of its own.
type aloneState struct {
	At        Moment
	Centre    [2]float64 // pixels
	Speed     [2]float64 // pixels per second
	Area      int
	Histogram [histogramBins]float32
}

// updateGroups groups the tracks that share a region, and ends the groups that have
// parted. If tracks of such a group were hidden, it matches them to the regions anew, and
// changes regionOwners accordingly.
func (r *InstanceTracker) updateGroups(step *Step, query int, regions [][]int32, regionOwners [][]uint16) {
	params := r.Params.orDefault()
	for k, owners := range regionOwners {
		if len(owners) < 2 {
			continue
		}
		r.mergeGroups(owners)
		for _, o := range owners {
			t := r.tracks[o-1]
			t.GroupedAt = step.Moment
			t.WasHidden = t.WasHidden || float64(r.countOwned(regions[k], o)) < params.HiddenShare*float64(t.Alone.Area)
		}
	}
	for i, t := range r.tracks {
		if t != nil && t.Query == query && t.Group > 0 && r.firstOfGroup(t.Group) == i {
			r.endGroup(step, t.Group, regions, regionOwners)
		}
	}
}

// mergeGroups makes one group of tracks that share a region and of the groups that they
// were in.
func (r *InstanceTracker) mergeGroups(owners []uint16) {
	r.lastGroup++
	for _, o := range owners {
		before := r.tracks[o-1].Group
		for _, t := range r.tracks {
			if t != nil && before > 0 && t.Group == before {
				t.Group = r.lastGroup
			}
		}
		r.tracks[o-1].Group = r.lastGroup
	}
}

// firstOfGroup is the index of the first track of a group.
func (r *InstanceTracker) firstOfGroup(group int) int {
	return slices.IndexFunc(r.tracks, func(t *track) bool { return t != nil && t.Group == group })
}

// endGroup ends a group if each of its tracks, also a lost one, has a region of its own.
func (r *InstanceTracker) endGroup(step *Step, group int, regions [][]int32, regionOwners [][]uint16) {
	params := r.Params.orDefault()
	var members []uint16
	hidden, minArea := false, math.MaxInt
	for i, t := range r.tracks {
		if t == nil || t.Group != group {
			continue
		}
		if t.GroupedAt == step.Moment {
			return
		}
		members = append(members, uint16(i+1))
		hidden = hidden || t.WasHidden || !r.matched[i]
		minArea = min(minArea, t.Alone.Area)
	}
	var places []int // indices of regions, the largest region first
	for k, owners := range regionOwners {
		if len(owners) == 1 && slices.Contains(members, owners[0]) && float64(len(regions[k])) >= max(params.HiddenShare*float64(minArea), float64(params.MinRegionPixels)) {
			places = append(places, k)
		}
	}
	if len(places) < len(members) && len(members) > 1 {
		return // a track is still hidden
	}
	if hidden && len(members) > 1 && len(members) <= params.MaxGroup {
		places = places[:len(members)]
		for i, o := range r.matchByMotion(step, regions, places, members) {
			r.matched[o-1] = true
			regionOwners[places[i]] = []uint16{o}
			r.assignRegion(regions[places[i]], regionOwners[places[i]])
		}
	}
	for _, o := range members {
		r.tracks[o-1].Group, r.tracks[o-1].WasHidden = 0, false
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
	params := r.Params.orDefault()
	costs := make([][]float64, len(places))
	for i, k := range places {
		histogram, _ := r.appearance(step.Image, regions[k])
		c := centroid(regions[k], r.w)
		for _, o := range members {
			s := &r.tracks[o-1].Alone
			elapsed := (step.Time - s.At.Time).Seconds()
			distance := math.Hypot(s.Centre[0]+s.Speed[0]*elapsed-c[0], s.Centre[1]+s.Speed[1]*elapsed-c[1])
			costs[i] = append(costs[i], distance/math.Sqrt(float64(max(s.Area, 1)))+params.AppearanceWeight*float64(1-histogramOverlap(&s.Histogram, &histogram)))
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
func (t *track) updateMotion(p *Params, now Moment, centre [2]float64, atEdge bool) {
	s := &t.Alone
	if elapsed := (now.Time - s.At.Time).Seconds(); s.Area > 0 && elapsed > 0 && elapsed < p.MaxSpeedGap.Seconds() && !atEdge {
		for i := range s.Speed {
			v := (centre[i] - s.Centre[i]) / elapsed
			if t.HasSpeed {
				v = s.Speed[i] + p.SpeedRate*(v-s.Speed[i])
			}
			s.Speed[i] = v
		}
		t.HasSpeed = true
	}
	s.At, s.Centre, s.Area, s.Histogram = now, centre, t.Area, t.Histogram
}
