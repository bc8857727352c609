package tracking

import (
	"cmp"
	"image"
	"slices"
	"time"

	"github.com/carve-video/carve/car"
)

// A Roster tells the things of one concept apart and gives each a number that it
// keeps: while it moves, while it touches another of its kind, while something in
// front of it cuts it in two, and when it comes back after having been hidden.
//
// Everything follows from the masks and the motion. A pixel of a mask belongs to
// whom it belonged a frame ago, at the place that it came from; what came from
// nowhere goes to its nearest neighbour in the same region. A region that nobody
// has a claim to is somebody who was lost lately and looks alike, or somebody new.
// Those who part after one has been behind the other are told by how they moved.
type InstanceTracker struct {
	// Patience is how long who is hidden keeps the number; 0 stands for
	// DefaultPatience.
	MaxAge time.Duration

	w, h           int
	previousOwners []uint16 // whose each pixel was in the frame before, as indices of known + 1
	owners         []uint16 // the same of this frame
	regionOf       []int32
	queue          []int32
	tracks         []*track // nil where somebody was forgotten
	matched        []bool   // of them, who of the concept in hand is to be seen in this frame
	nextID         []int    // the number to give, by query

	groups int // so far
}

// DefaultPatience is how long a hidden thing is waited for.
const DefaultMaxAge = 2 * time.Second

// An Instance is one thing of a concept in one frame.
type Instance struct {
	Query int // index in the bank
	ID    int // its number among those of the query, from 1
	Area  int // pixels
	Box   image.Rectangle
	// Mask has a byte a pixel, 1 where it is.
	Mask []uint8
}

// A thing is who has a number.
type track struct {
	query, id  int
	seen       Moment
	box        image.Rectangle
	area       int
	histogram  [histogramBins]float32
	splitSince Moment // since when it has been in two places
	split      bool

	alone     aloneState
	hasSpeed  bool   // its speed is known
	group     int    // whom it shares a region with, or has not parted from yet; 0: nobody
	groupedAt Moment // when it last shared one
	wasHidden bool   // most of it was, meanwhile
}

const (
	// alike is the share of colours that two looks must have in common.
	alike = 0.5
	// crumb is the area below which a region is no thing, as a share of the concept's
	// mask: a piece of an outline, or of what something thin cuts off.
	crumb = 0.05
	// crumbPixels is the same in pixels.
	crumbPixels = 12
	// partsApart is how long two parts of a thing may be apart before they are two:
	// what stands before it does not stay that long.
	partsApart = time.Second
)

// Number fills in the instances of a step, which must come in the order of the
// frames. The result must be final.
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
			r.assignConcept(step, f)
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

// follow finds out whose the pixels of a concept are.
func (r *InstanceTracker) assignConcept(step *Step, f *car.Found) {
	// Whom each pixel belonged to where it was.
	m := &step.Motion
	carried := m.W > 0
	for y := range r.h {
		for x := range r.w {
			i := y*r.w + x
			if f.Mask[i] == 0 || !carried {
				continue
			}
			k := min(y/m.Factor, m.H-1)*m.W + min(x/m.Factor, m.W-1)
			fx := clampRound(float32(x)+m.U[k]*float32(m.Factor), r.w)
			fy := clampRound(float32(y)+m.V[k]*float32(m.Factor), r.h)
			if o := r.previousOwners[fy*r.w+fx]; o != 0 && r.tracks[o-1].query == f.Query {
				r.owners[i] = o
			}
		}
	}
	regions := r.regions(f.Mask)
	claims := r.claims(regions)
	r.matched = resizedSlice(r.matched, len(r.tracks))
	clear(r.matched)
	for _, of := range claims {
		for _, o := range of {
			r.matched[o-1] = true
		}
	}
	least := max(int(crumb*float64(f.Area)), crumbPixels)
	for k, region := range regions {
		if len(claims[k]) == 0 && (len(region) >= least || len(regions) == 1) {
			claims[k] = []uint16{r.reidentify(step, f.Query, region)}
		}
		r.assignRegion(region, claims[k])
	}
	r.updateGroups(step, f.Query, regions, claims)
	r.splitTracks(step, f.Query, regions)
}

// claims are, for each region, those who own enough of it to be there: a tenth of
// it, or of what they were. Whoever is mostly in another region has no claim to one
// in which somebody is at home: that is what came to light behind them when they
// parted, and was dealt to the nearer one.
func (r *InstanceTracker) claims(regions [][]int32) [][]uint16 {
	owned := make([]map[uint16]int, len(regions))
	home := make(map[uint16]int) // the region with most of each
	for k, region := range regions {
		owned[k] = make(map[uint16]int)
		for _, p := range region {
			if o := r.owners[p]; o != 0 {
				owned[k][o]++
			}
		}
		for o, n := range owned[k] {
			if best, ok := home[o]; !ok || n > owned[best][o] {
				home[o] = k
			}
		}
	}
	claims := make([][]uint16, len(regions))
	for k, region := range regions {
		var guests []uint16
		for o, n := range owned[k] {
			switch {
			case 10*n < len(region) && 10*n < r.tracks[o-1].area:
			case home[o] == k:
				claims[k] = append(claims[k], o)
			default:
				guests = append(guests, o)
			}
		}
		if len(claims[k]) == 0 {
			claims[k] = guests
		}
		slices.Sort(claims[k])
	}
	return claims
}

// settle gives every pixel of a region to one of its claimants: those that are
// theirs, and the others to the nearest.
func (r *InstanceTracker) assignRegion(region []int32, claims []uint16) {
	if len(claims) == 0 {
		for _, p := range region {
			r.owners[p] = 0
		}
		return
	}
	if len(claims) == 1 {
		for _, p := range region {
			r.owners[p] = claims[0]
		}
		return
	}
	// Breadth first from all that have an owner.
	front := r.queue[:0]
	for _, p := range region {
		if slices.Contains(claims, r.owners[p]) {
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
	// A pixel that only touches the others at a corner is reached by nobody.
	for _, p := range region {
		if r.owners[p] == 0 {
			r.owners[p] = claims[0]
		}
	}
}

// recall finds who a region is that nobody has a claim to: one of the lost that
// looks alike, or somebody new.
func (r *InstanceTracker) reidentify(step *Step, query int, region []int32) uint16 {
	look, box := r.appearance(step.Image, region)
	best, found := float32(alike), -1
	for i, t := range r.tracks {
		if t == nil || t.query != query || r.matched[i] {
			continue
		}
		// Of two that look alike, the one that was last seen nearer.
		if s := histogramOverlap(&t.histogram, &look) - .2*boxDistance(t.box, box, r.w, r.h); s > best {
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
	t := &track{query: query, id: r.nextID[query], seen: step.Moment, box: box, area: len(region), histogram: look}
	i := slices.Index(r.tracks, nil)
	if i < 0 {
		i = len(r.tracks)
		r.tracks, r.matched = append(r.tracks, nil), append(r.matched, false)
	}
	r.tracks[i], r.matched[i] = t, true
	return uint16(i + 1)
}

// part makes two things of one whose parts have been apart for long: it was two
// that stood together when they were first seen. The larger part keeps the number.
func (r *InstanceTracker) splitTracks(step *Step, query int, regions [][]int32) {
	for i, t := range r.tracks {
		if t == nil || t.query != query {
			continue
		}
		var parts [][]int32
		for _, region := range regions { // the largest first
			if r.owners[region[0]] == uint16(i+1) && len(region) >= max(t.area/5, crumbPixels) {
				parts = append(parts, region)
			}
		}
		switch {
		case len(parts) < 2:
			t.split = false
		case !t.split:
			t.split, t.splitSince = true, step.Moment
		case step.Time-t.splitSince.Time > partsApart:
			t.split = false
			for _, p := range parts[1:] {
				for _, q := range p {
					r.owners[q] = 0
				}
				// Not the number that it had so far.
				r.assignRegion(p, []uint16{r.reidentify(step, query, p)})
			}
		}
	}
}

// measure writes down who is where, and fills in the step.
func (r *InstanceTracker) updateTracks(step *Step) {
	type sums struct {
		area   int
		box    image.Rectangle
		middle [2]float64
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
		s.middle[0] += float64(i % r.w)
		s.middle[1] += float64(i / r.w)
	}
	step.Instances = step.Instances[:0]
	for i, t := range r.tracks {
		if t == nil || all[i].area == 0 {
			continue
		}
		t.seen, t.area, t.box = step.Moment, all[i].area, all[i].box
		in := Instance{Query: t.query, ID: t.id, Area: t.area, Box: t.box, Mask: make([]uint8, r.w*r.h)}
		t.histogram = [histogramBins]float32{}
		one := 1 / float32(t.area)
		for y := t.box.Min.Y; y < t.box.Max.Y; y++ {
			for x := t.box.Min.X; x < t.box.Max.X; x++ {
				p := y*r.w + x
				if r.owners[p] != uint16(i+1) {
					continue
				}
				in.Mask[p] = 1
				c := step.Image.Pix[3*p : 3*p+3]
				t.histogram[int(c[0]>>6)<<4|int(c[1]>>6)<<2|int(c[2]>>6)] += one
			}
		}
		if n := float64(t.area); t.group == 0 && !t.split {
			atEdge := t.box.Min.X == 0 || t.box.Min.Y == 0 || t.box.Max.X == r.w || t.box.Max.Y == r.h
			t.updateMotion(step.Moment, [2]float64{all[i].middle[0] / n, all[i].middle[1] / n}, atEdge)
		}
		step.Instances = append(step.Instances, in)
	}
	slices.SortFunc(step.Instances, func(a, b Instance) int { return cmp.Or(cmp.Compare(a.Query, b.Query), cmp.Compare(a.ID, b.ID)) })
}

// forget gives up on who has been hidden for too long.
func (r *InstanceTracker) dropOld(now Moment) {
	patience := r.MaxAge
	if patience == 0 {
		patience = DefaultMaxAge
	}
	for i, t := range r.tracks {
		if t != nil && now.Time-t.seen.Time > patience {
			r.tracks[i] = nil
		}
	}
}
