package score

// Presence measures how well a result knows when an object is there. An object is there
// when the truth has any pixel of it, and is found when the result has a non-empty mask
// for it. Where the mask lies does not matter here: that is measured by J.
type Presence struct {
	Frames int `json:"frames"` // frames that count
	There  int `json:"there"`  // frames in which the truth has it
	Found  int `json:"found"`  // frames in which the result has it
	Both   int `json:"both"`   // frames in which both have it

	// Large are the frames in which the truth covers at least 1 % of the image, and
	// LargeFound those of them in which the result has the object.
	Large      int `json:"large"`
	LargeFound int `json:"large_found"`

	// Reentries counts the times that the object came back: it had been there, was
	// absent for a frame or more, and then covered at least 1 % of the image. Latency
	// has, for each one that was found before it was absent again, the number of frames
	// from there until it was found; 0 is at once.
	Reentries int   `json:"reentries"`
	Missed    int   `json:"missed"`
	Latency   []int `json:"latency"`
}

// largeArea is the share of the image that an object must cover before the result is
// expected to find it again: an object that enters over the edge can hardly be seen in
// its first frame.
const largeArea = 0.01

// Precision returns the share of the frames in which it is found that have it; NaN if
// it is never found.
func (p Presence) Precision() float64 { return ratio(p.Both, p.Found) }

// Recall returns the share of the frames that have it in which it is found; NaN if it
// is never there.
func (p Presence) Recall() float64 { return ratio(p.Both, p.There) }

// Seen returns the share of the frames with at least 1 % of it in which it is found;
// NaN if there are none.
func (p Presence) Seen() float64 { return ratio(p.LargeFound, p.Large) }

// FalsePresent returns the share of the frames without it in which it is found; NaN if
// it is always there.
func (p Presence) FalsePresent() float64 { return ratio(p.Found-p.Both, p.Frames-p.There) }

// MeanLatency is in frames; NaN if no return was found.
func (p Presence) MeanLatency() float64 {
	sum := 0
	for _, n := range p.Latency {
		sum += n
	}
	return ratio(sum, len(p.Latency))
}

// Add adds the counts of another object.
func (p Presence) Add(q Presence) Presence {
	p.Frames += q.Frames
	p.There += q.There
	p.Found += q.Found
	p.Both += q.Both
	p.Large += q.Large
	p.LargeFound += q.LargeFound
	p.Reentries += q.Reentries
	p.Missed += q.Missed
	p.Latency = append(p.Latency[:len(p.Latency):len(p.Latency)], q.Latency...)
	return p
}

// Presence sums up an object in images of this many pixels. It needs a truth.
func (t *Track) Presence(pixels int) Presence {
	var p Presence
	const (
		never   = iota // has not been there yet
		there          // is there; nothing to measure
		gone           // absent after having been there
		back           // there again, but still too small
		waiting        // large enough; should be found
	)
	state, since := never, 0
	for i, area := range t.TruthArea {
		if t.Ignored[i] {
			// Too small to be expected, but not absent either.
			if state == gone {
				state = back
			}
		} else {
			p.Frames++
			if area > 0 {
				p.There++
			}
			large := float64(area) >= largeArea*float64(pixels)
			if large {
				p.Large++
			}
			if t.Found[i] {
				p.Found++
				if area > 0 {
					p.Both++
				}
				if large {
					p.LargeFound++
				}
			}
			switch {
			case area == 0:
				if state == waiting {
					p.Missed++
				}
				if state != never {
					state = gone
				}
			case state == never:
				state = there
			case state == gone:
				state = back
			}
		}
		if state == back && float64(area) >= largeArea*float64(pixels) {
			state, since = waiting, i
			p.Reentries++
		}
		if state == waiting && t.Found[i] {
			state = there
			p.Latency = append(p.Latency, i-since)
		}
	}
	if state == waiting {
		p.Missed++
	}
	return p
}

// After returns for how many consecutive frames from a cut on the result still finds an
// object that the truth had before the cut and no longer has. It needs a truth.
func (t *Track) After(cut int) int {
	if cut <= 0 || cut >= len(t.Found) || t.TruthArea[cut-1] == 0 {
		return 0
	}
	n := 0
	for i := cut; i < len(t.Found) && t.Found[i] && t.TruthArea[i] == 0 && !t.Ignored[i]; i++ {
		n++
	}
	return n
}
