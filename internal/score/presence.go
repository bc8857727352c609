package score

// Presence says how well a result knows when an object is there. An object is
// there when the truth has any of it, and is found when the result has a mask of
// it that is not empty, wherever that lies: where it should lie is what J says.
type Presence struct {
	Frames int `json:"frames"` // that count
	There  int `json:"there"`  // frames in which the truth has it
	Found  int `json:"found"`  // frames in which the result has it
	Both   int `json:"both"`   // frames in which both have it

	// Large are the frames in which the truth has at least 1 % of the picture of
	// it, and LargeFound those of them in which the result has it.
	Large      int `json:"large"`
	LargeFound int `json:"large_found"`

	// Reentries are the times that it came back: it had been there, was gone
	// for a frame or more, and then filled at least 1 % of the picture. Latency
	// has, for each one that was noticed before it was gone again, the frames
	// from there until it was found: 0 is at once.
	Reentries int   `json:"reentries"`
	Missed    int   `json:"missed"`
	Latency   []int `json:"latency"`
}

// largeArea is the share of the picture that something must fill to be asked
// for when it comes back: a thing that creeps in over the edge is not to be
// seen in its first frame.
const largeArea = 0.01

// Precision is the share of the frames it is found in that have it; NaN if it is
// never found.
func (p Presence) Precision() float64 { return ratio(p.Both, p.Found) }

// Recall is the share of the frames that have it in which it is found; NaN if it
// is never there.
func (p Presence) Recall() float64 { return ratio(p.Both, p.There) }

// Seen is the share of the frames with at least 1 % of it in which it is found;
// NaN if there are none.
func (p Presence) Seen() float64 { return ratio(p.LargeFound, p.Large) }

// FalsePresent is the share of the frames without it in which it is found all
// the same; NaN if it is always there.
func (p Presence) FalsePresent() float64 { return ratio(p.Found-p.Both, p.Frames-p.There) }

// MeanLatency is in frames; NaN if no return was noticed.
func (p Presence) MeanLatency() float64 {
	sum := 0
	for _, n := range p.Latency {
		sum += n
	}
	return ratio(sum, len(p.Latency))
}

// Add joins the counts of two objects.
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

// Presence sums up an object in a picture of so many pixels. It needs a truth.
func (t *Track) Presence(pixels int) Presence {
	var p Presence
	const (
		never   = iota // it has not been there yet
		there          // and nothing is asked of the result
		gone           // after having been there
		back           // but not yet large enough to ask for it
		waiting        // it should be found
	)
	state, since := never, 0
	for i, area := range t.TruthArea {
		if t.Ignored[i] {
			// Too little of it to ask for. It is not gone either.
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

// After is for how many frames from a cut on, in a row, the result still finds
// what the truth had before it and has no more. It needs a truth.
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
