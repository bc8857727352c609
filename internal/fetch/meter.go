package fetch

import "time"

// Progress is the state of a fetch.
type Progress struct {
	Have    int64         // bytes so far; decreases only if the fetch starts over
	Total   int64         // bytes of the file; 0 while unknown
	Resumed int64         // the bytes in Have that an earlier attempt had left
	Rate    float64       // bytes a second, over the last few seconds
	ETA     time.Duration // remaining time at that rate; 0 while unknown
	Retry   int           // failed tries
}

// A meter reports the progress of a fetch a few times a second.
type meter struct {
	tell   func(Progress)
	part   *part
	total  int64
	failed int
	shown  time.Time
	came   int64    // bytes received, including those thrown away
	window []sample // the last few seconds, oldest first
}

type sample struct {
	at   time.Time
	came int64
}

const (
	showEvery = 250 * time.Millisecond
	rateOver  = 5 * time.Second
)

func newMeter(tell func(Progress), p *part) *meter {
	return &meter{tell: tell, part: p, window: []sample{{time.Now(), 0}}}
}

// add counts the bytes of a read.
func (m *meter) add(n int) {
	m.came += int64(n)
	if time.Since(m.shown) >= showEvery {
		m.report()
	}
}

// last reports the final state.
func (m *meter) last() {
	m.total = m.part.have
	m.report()
}

// retry counts a failed try. The pause after it does not count for the rate.
func (m *meter) retry() {
	m.failed++
	m.report()
	m.window = nil
}

func (m *meter) report() {
	if m.tell == nil {
		return
	}
	now := time.Now()
	m.shown = now
	m.window = append(m.window, sample{now, m.came})
	for len(m.window) > 2 && now.Sub(m.window[0].at) > rateOver {
		m.window = m.window[1:]
	}
	p := Progress{Have: m.part.have, Total: m.total, Resumed: m.part.resumed, Retry: m.failed}
	first := m.window[0]
	if d := now.Sub(first.at).Seconds(); d > 0 {
		p.Rate = float64(m.came-first.came) / d
	}
	if p.Rate > 0 && p.Total > p.Have {
		p.ETA = time.Duration(float64(p.Total-p.Have) / p.Rate * float64(time.Second))
	}
	m.tell(p)
}
