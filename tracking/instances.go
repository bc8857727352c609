package tracking

import (
	"cmp"
	"image"
	"slices"

	"github.com/carve-video/carve/car"
)

// An InstanceTracker tells the instances of a query apart and numbers them. An instance
// keeps its number while it moves, while it touches another instance of the query, while
// an object in front cuts it in two, and when it reappears after it was hidden.
//
// A pixel belongs to the track that owned, one frame ago, the position that the pixel came
// from. If no track did, it goes to the nearest track in its region. A region without a
// track is re-identified as a track of similar appearance that was lost lately, or becomes
// a new track. When two tracks part of which one was behind the other, their motion tells
// which is which.
type InstanceTracker struct {
	// Params tunes it; nil stands for [DefaultParams].
	Params *Params

	w, h           int
	previousOwners []uint16 // the owner of each pixel in the frame before: its index in tracks + 1, or 0
	owners         []uint16 // the same for this frame
	regionOf       []int32  // the region of each pixel, from 1 in scan order
	queue          []int32
	tracks         []*track // nil where a track was dropped
	matched        []bool   // by track, whether it is visible in this frame; of the query in hand only
	nextID         []int    // by query, the last number given

	lastGroup int // the number of the last group
}

// An Instance is one object of a query in one frame.
type Instance struct {
	Query int // index in the bank
	ID    int // its number among the instances of the query, from 1
	Area  int // pixels
	Box   image.Rectangle
	// Mask has a byte per pixel, 1 where the instance is.
	Mask []uint8
}

// A track is an instance over time. It is part of a [Checkpoint].
type track struct {
	Query      int
	ID         int
	LastSeen   Moment
	Box        image.Rectangle // when it was last seen, as are Area and Histogram
	Area       int
	Histogram  [histogramBins]float32
	Split      bool   // it has more than one part
	SplitSince Moment // when that began

	Alone     aloneState
	HasSpeed  bool   // Alone.Speed is known
	Group     int    // the group that it is in, 0 for none
	GroupedAt Moment // when it last shared a region
	WasHidden bool   // most of it was hidden since it joined the group
}

// Track fills in the instances of a step. Steps must come in the order of the frames, and
// their results must be final.
func (r *InstanceTracker) Track(step *Step) {
	res := step.Result
	n := res.W * res.H
	if step.NewShot || r.w != res.W || r.h != res.H {
		r.tracks = r.tracks[:0]
		r.w, r.h = res.W, res.H
		r.previousOwners, r.owners = resizedSlice(r.previousOwners, n), resizedSlice(r.owners, n)
		r.regionOf, r.queue = resizedSlice(r.regionOf, n), resizedSlice(r.queue, n)
		clear(r.previousOwners)
	}
	clear(r.owners)
	for i := range res.Found {
		if f := &res.Found[i]; f.Area > 0 {
			r.assignQuery(step, f)
		}
	}
	r.updateTracks(step)
	r.dropOld(step.Moment)
	r.previousOwners, r.owners = r.owners, r.previousOwners
}

func resizedSlice[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// assignQuery assigns the pixels of a query to tracks.
func (r *InstanceTracker) assignQuery(step *Step, f *car.Found) {
	// Each pixel starts with the owner of the position that it came from.
	m := &step.Motion
	hasMotion := m.W > 0
	for y := range r.h {
		for x := range r.w {
			i := y*r.w + x
			if f.Mask[i] == 0 || !hasMotion {
				continue
			}
			k := min(y/m.Factor, m.H-1)*m.W + min(x/m.Factor, m.W-1)
			fx := clampRound(float32(x)+m.U[k]*float32(m.Factor), r.w)
			fy := clampRound(float32(y)+m.V[k]*float32(m.Factor), r.h)
			if o := r.previousOwners[fy*r.w+fx]; o != 0 && r.tracks[o-1].Query == f.Query {
				r.owners[i] = o
			}
		}
	}
	regions := r.regions(f.Mask)
	regionOwners := r.findRegionOwners(regions)
	r.matched = resizedSlice(r.matched, len(r.tracks))
	clear(r.matched)
	for _, owners := range regionOwners {
		for _, o := range owners {
			r.matched[o-1] = true
		}
	}
	p := r.Params.orDefault()
	minArea := max(int(p.MinRegionShare*float64(f.Area)), p.MinRegionPixels)
	for k, region := range regions {
		if len(regionOwners[k]) == 0 && (len(region) >= minArea || len(regions) == 1) {
			regionOwners[k] = []uint16{r.reidentify(step, f.Query, region)}
		}
		r.assignRegion(region, regionOwners[k])
	}
	r.updateGroups(step, f.Query, regions, regionOwners)
	r.splitTracks(step, f.Query, regions)
}

// findRegionOwners returns the owners of each region, in ascending order. A track owns a
// region if it has a tenth of the region's pixels, or a tenth of its own last area there.
// A track that is mostly in another region does not own a region in which some other track
// mostly is. Its pixels there were uncovered when the two tracks parted, and went to the
// nearer one.
func (r *InstanceTracker) findRegionOwners(regions [][]int32) [][]uint16 {
	counts := make([]map[uint16]int, len(regions)) // pixels, by owner
	mainRegion := make(map[uint16]int)             // the region with most pixels of each owner
	for k, region := range regions {
		counts[k] = make(map[uint16]int)
		for _, p := range region {
			if o := r.owners[p]; o != 0 {
				counts[k][o]++
			}
		}
		for o, n := range counts[k] {
			if best, ok := mainRegion[o]; !ok || n > counts[best][o] {
				mainRegion[o] = k
			}
		}
	}
	regionOwners := make([][]uint16, len(regions))
	for k, region := range regions {
		var secondary []uint16 // tracks that are mostly elsewhere
		for o, n := range counts[k] {
			switch {
			case 10*n < len(region) && 10*n < r.tracks[o-1].Area:
			case mainRegion[o] == k:
				regionOwners[k] = append(regionOwners[k], o)
			default:
				secondary = append(secondary, o)
			}
		}
		if len(regionOwners[k]) == 0 {
			regionOwners[k] = secondary
		}
		slices.Sort(regionOwners[k])
	}
	return regionOwners
}

// assignRegion gives every pixel of a region to one of the region's owners: the pixels
// that one of them has already stay its own, the others go to the nearest.
func (r *InstanceTracker) assignRegion(region []int32, owners []uint16) {
	if len(owners) == 0 {
		for _, p := range region {
			r.owners[p] = 0
		}
		return
	}
	if len(owners) == 1 {
		for _, p := range region {
			r.owners[p] = owners[0]
		}
		return
	}
	// Breadth first from all pixels that have an owner.
	front := r.queue[:0]
	for _, p := range region {
		if slices.Contains(owners, r.owners[p]) {
			front = append(front, p)
		} else {
			r.owners[p] = 0
		}
	}
	label := r.regionOf[region[0]]
	for head := 0; head < len(front); head++ {
		p := int(front[head])
		x, y := p%r.w, p/r.w
		for _, d := range [4][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
			nx, ny := x+d[0], y+d[1]
			if nx < 0 || ny < 0 || nx >= r.w || ny >= r.h {
				continue
			}
			if q := ny*r.w + nx; r.regionOf[q] == label && r.owners[q] == 0 {
				r.owners[q] = r.owners[p]
				front = append(front, int32(q))
			}
		}
	}
	// Pixels that touch the others only at a corner are not reached.
	for _, p := range region {
		if r.owners[p] == 0 {
			r.owners[p] = owners[0]
		}
	}
}

// reidentify returns the owner for a region that has none: a lost track with a similar
// appearance, or a new track.
func (r *InstanceTracker) reidentify(step *Step, query int, region []int32) uint16 {
	histogram, box := r.appearance(step.Image, region)
	params := r.Params.orDefault()
	best, found := float32(params.MinSimilarity), -1
	for i, t := range r.tracks {
		if t == nil || t.Query != query || r.matched[i] {
			continue
		}
		// Of two similar tracks, the one last seen nearer wins.
		if s := histogramOverlap(&t.Histogram, &histogram) - float32(params.DistancePenalty)*boxDistance(t.Box, box, r.w, r.h); s > best {
			best, found = s, i
		}
	}
	if found >= 0 {
		r.matched[found] = true
		return uint16(found + 1)
	}
	for len(r.nextID) <= query {
		r.nextID = append(r.nextID, 0)
	}
	r.nextID[query]++
	t := &track{Query: query, ID: r.nextID[query], LastSeen: step.Moment, Box: box, Area: len(region), Histogram: histogram}
	i := slices.Index(r.tracks, nil)
	if i < 0 {
		i = len(r.tracks)
		r.tracks, r.matched = append(r.tracks, nil), append(r.matched, false)
	}
	r.tracks[i], r.matched[i] = t, true
	return uint16(i + 1)
}

// splitTracks splits a track whose parts have been apart for long: it was two
// instances that touched when they were first seen. The largest part keeps the number.
func (r *InstanceTracker) splitTracks(step *Step, query int, regions [][]int32) {
	params := r.Params.orDefault()
	for i, t := range r.tracks {
		if t == nil || t.Query != query {
			continue
		}
		var parts [][]int32
		for _, region := range regions { // largest first
			if r.owners[region[0]] == uint16(i+1) && len(region) >= max(t.Area/5, params.MinRegionPixels) {
				parts = append(parts, region)
			}
		}
		switch {
		case len(parts) < 2:
			t.Split = false
		case !t.Split:
			t.Split, t.SplitSince = true, step.Moment
		case step.Time-t.SplitSince.Time > params.SplitAfter:
			t.Split = false
			for _, part := range parts[1:] {
				for _, p := range part {
					r.owners[p] = 0
				}
				// t is matched, so that reidentify returns another track.
				r.assignRegion(part, []uint16{r.reidentify(step, query, part)})
			}
		}
	}
}

// updateTracks updates the tracks that are visible, and fills in the step's instances.
func (r *InstanceTracker) updateTracks(step *Step) {
	type sums struct {
		area   int
		box    image.Rectangle
		centre [2]float64
	}
	all := make([]sums, len(r.tracks))
	for i, o := range r.owners {
		if o == 0 {
			continue
		}
		s := &all[o-1]
		at := image.Rect(i%r.w, i/r.w, i%r.w+1, i/r.w+1)
		if s.area == 0 {
			s.box = at
		} else {
			s.box = s.box.Union(at)
		}
		s.area++
		s.centre[0] += float64(i % r.w)
		s.centre[1] += float64(i / r.w)
	}
	step.Instances = step.Instances[:0]
	for i, t := range r.tracks {
		if t == nil || all[i].area == 0 {
			continue
		}
		t.LastSeen, t.Area, t.Box = step.Moment, all[i].area, all[i].box
		in := Instance{Query: t.Query, ID: t.ID, Area: t.Area, Box: t.Box, Mask: make([]uint8, r.w*r.h)}
		t.Histogram = [histogramBins]float32{}
		one := 1 / float32(t.Area)
		for y := t.Box.Min.Y; y < t.Box.Max.Y; y++ {
			for x := t.Box.Min.X; x < t.Box.Max.X; x++ {
				p := y*r.w + x
				if r.owners[p] != uint16(i+1) {
					continue
				}
				in.Mask[p] = 1
				c := step.Image.Pix[3*p : 3*p+3]
				t.Histogram[int(c[0]>>6)<<4|int(c[1]>>6)<<2|int(c[2]>>6)] += one
			}
		}
		if n := float64(t.Area); t.Group == 0 && !t.Split {
			atEdge := t.Box.Min.X == 0 || t.Box.Min.Y == 0 || t.Box.Max.X == r.w || t.Box.Max.Y == r.h
			t.updateMotion(r.Params.orDefault(), step.Moment, [2]float64{all[i].centre[0] / n, all[i].centre[1] / n}, atEdge)
		}
		step.Instances = append(step.Instances, in)
	}
	slices.SortFunc(step.Instances, func(a, b Instance) int { return cmp.Or(cmp.Compare(a.Query, b.Query), cmp.Compare(a.ID, b.ID)) })
}

// dropOld drops the tracks that have been hidden for too long.
func (r *InstanceTracker) dropOld(now Moment) {
	maxAge := r.Params.orDefault().MaxAge
	for i, t := range r.tracks {
		if t != nil && now.Time-t.LastSeen.Time > maxAge {
			r.tracks[i] = nil
		}
	}
}
