package fetch

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	t.Parallel()
	var told []Progress
	p := &part{have: 100, resumed: 100}
	m := newMeter(func(p Progress) { told = append(told, p) }, p)
	m.total = 1100
	m.window[0].at = time.Now().Add(-2 * time.Second)
	p.have = 600
	m.add(500) // over two seconds
	if len(told) != 1 || told[0].Have != 600 || told[0].Resumed != 100 || told[0].Rate < 200 || told[0].Rate > 260 ||
		told[0].ETA < 1900*time.Millisecond || told[0].ETA > 2500*time.Millisecond {
		t.Fatalf("progress %+v", told)
	}
	p.have = 700
	m.add(100)
	if len(told) != 1 {
		t.Error("told twice in a moment")
	}

	m.retry()
	if last := told[len(told)-1]; last.Retry != 1 || last.Have != 700 {
		t.Errorf("progress at a retry %+v", last)
	}
	// A pause, and then the file starts over.
	p.have, p.resumed, m.shown = 50, 0, time.Time{}
	m.add(50)
	if last := told[len(told)-1]; last.Have != 50 || last.Resumed != 0 || last.Rate != 0 || last.ETA != 0 || last.Retry != 1 {
		t.Errorf("progress after a retry %+v", last)
	}
	p.have = 1100
	m.last()
	if last := told[len(told)-1]; last.Have != 1100 || last.Total != 1100 || last.ETA != 0 {
		t.Errorf("the last progress %+v", last)
	}
	silent := newMeter(nil, p)
	silent.add(5)
	silent.last()
}
