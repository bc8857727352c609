package main

import (
	"fmt"
	"io"
	"time"

	"github.com/carve-video/carve/internal/ui"
)

// A sampleProgress shows how many samples of a data set are done: on a terminal on one
// line that is updated, elsewhere on a line every ten seconds.
type sampleProgress struct {
	w     io.Writer
	quiet bool
	began time.Time
	shown time.Time
	first int // samples that were done before the run
	of    int // all samples
}

// show shows the number of samples done since the run began, and the ID of the last one.
func (p *sampleProgress) show(id string, done int) {
	terminal := ui.IsTerminal(p.w)
	since := time.Since(p.shown)
	if p.quiet || !(since > 10*time.Second || terminal && since > 200*time.Millisecond) {
		return
	}
	p.shown = time.Now()
	each := time.Since(p.began) / time.Duration(done)
	line := fmt.Sprintf("%d/%d  %s  %.1f s a sample  ETA %s", p.first+done, p.of, id,
		each.Seconds(), ui.Clock((each * time.Duration(p.of-p.first-done)).Round(time.Second)))
	if terminal {
		ui.Overwrite(p.w, line)
	} else {
		fmt.Fprintln(p.w, line)
	}
}

// end ends the line.
func (p *sampleProgress) end() {
	if !p.quiet && ui.IsTerminal(p.w) {
		fmt.Fprintln(p.w)
	}
}
