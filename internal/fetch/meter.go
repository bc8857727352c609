package fetch

import "time"

// Progress is how far a fetch is.
type Progress struct {
	Have    int64         // bytes there
	Total   int64         // bytes in all; 0 as long as that is not known
	Resumed int64         // of Have, those that an earlier attempt had left
	Rate    float64       // bytes a second, over the last few seconds
	ETA     time.Duration // what is left at that rate; 0 as long as it cannot be told
	Retry   int           // tries that failed
}

// A meter tells how far a fetch is, a few times a second.
type meter struct {
	tell    func(Progress)
	total   int64
	resumed int64
	failed  int
	shown   time.Time
	window  []sample // the last few seconds, oldest first
}

type sample struct {
	at   time.Time
	have int64
}

const (
	showEvery = 250 * time.Millisecond
	rateOver  = 5 * time.Second
)

func newMeter(tell func(Progress), have int64) *meter {
	return &meter{tell: tell, resumed: have, window: []sample{{time.Now(), have}}}
}

// show is told of every read.
func (m *meter) show(have int64) {
	if m.tell != nil && time.Since(m.shown) >= showEvery {
		m.report(have)
	}
}

// last shows the end.
func (m *meter) last(have int64) {
	m.total = have
	if m.tell != nil {
		m.report(have)
	}
}

// retry counts a try that failed. The pause before the next one is not part of
// the rate.
func (m *meter) retry(failed int) {
	m.failed = failed
	m.window = nil
}

func (m *meter) report(have int64) {
	now := time.Now()
	m.shown = now
	if len(m.window) > 0 && m.window[len(m.window)-1].have > have {
		m.window, m.resumed = nil, 0 // begun anew
	}
	m.window = append(m.window, sample{now, have})
	for len(m.window) > 2 && now.Sub(m.window[0].at) > rateOver {
		m.window = m.window[1:]
	}
	p := Progress{Have: have, Total: m.total, Resumed: m.resumed, Retry: m.failed}
	first := m.window[0]
	if d := now.Sub(first.at).Seconds(); d > 0 {
		p.Rate = float64(have-first.have) / d
	}
	if p.Rate > 0 && p.Total > have {
		p.ETA = time.Duration(float64(p.Total-have) / p.Rate * float64(time.Second))
	}
	m.tell(p)
}
