package evaluate

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
)

// trackReport is the report of the protocols vos and davis, and of a result without a
// truth.
type trackReport struct {
	*Evaluation
	tracks   *score.Tracks
	objects  []objectReport
	regions  score.Regions  // mean over the objects in the truth
	presence score.Presence // of all objects together
}

type objectReport struct {
	*score.Track
	regions  *score.Regions // nil for objects that the truth never has
	presence score.Presence
	flicker  score.Flicker
}

func newTrackReport(e *Evaluation, t *score.Tracks) *trackReport {
	r := &trackReport{Evaluation: e, tracks: t}
	pixels := t.W * t.H
	var all []score.Regions
	for _, o := range t.Objects {
		one := objectReport{Track: o, flicker: o.Flicker(pixels, e.options.FPS)}
		if t.HasTruth {
			one.presence = o.Presence(pixels)
			r.presence = r.presence.Add(one.presence)
			if o.InTruth() {
				regions := o.Regions(e.options.Protocol == ProtocolDAVIS)
				one.regions = &regions
				all = append(all, regions)
			}
		}
		r.objects = append(r.objects, one)
	}
	r.regions = score.MeanRegions(all)
	return r
}

func (r *trackReport) WriteText(w io.Writer) error {
	var parts []*ui.Table
	if r.tracks.HasTruth {
		parts = append(parts, r.regionTable(), r.presenceTable())
	}
	parts = append(parts, r.flickerTable())
	fmt.Fprintf(w, "%s\n", r.heading(r.tracks))
	for _, t := range parts {
		fmt.Fprintln(w)
		if err := t.Write(w); err != nil {
			return err
		}
	}
	if r.tracks.HasTruth {
		return r.writeUnpaired(w)
	}
	return nil
}

// heading is the first line of every report.
func (e *Evaluation) heading(t *score.Tracks) string {
	what := "without a truth"
	if e.truth != nil {
		what = e.options.Protocol
	}
	return fmt.Sprintf("%s: %s of %dx%d, %s", what, ui.Counted(t.Frames, "frame"), t.W, t.H, ui.Counted(len(t.Objects), "object"))
}

func (r *trackReport) regionTable() *ui.Table {
	t := ui.NewTable("object", "J", "recall", "decay", "F", "recall", "decay", "J&F")
	row := func(name string, of score.Regions) {
		t.Add(slices.Concat([]string{name}, figures(of.J.Mean, of.J.Recall, of.J.Decay, of.F.Mean, of.F.Recall, of.F.Decay, of.JF()))...)
	}
	for _, o := range r.objects {
		if o.regions != nil {
			row(o.String(), *o.regions)
		}
	}
	row("mean", r.regions)
	return t
}

func (r *trackReport) presenceTable() *ui.Table {
	t := ui.NewTable("presence", "there", "found", "precision", "recall", "false", "returns", "missed", "latency")
	row := func(name string, p score.Presence) {
		t.Add(name, strconv.Itoa(p.There), strconv.Itoa(p.Found),
			Figure(p.Precision()).String(), Figure(p.Recall()).String(), Figure(p.FalsePresent()).String(),
			strconv.Itoa(p.Reentries), strconv.Itoa(p.Missed), Figure(p.MeanLatency()).String())
	}
	for _, o := range r.objects {
		row(o.String(), o.presence)
	}
	row("all", r.presence)
	return t
}

func (r *trackReport) flickerTable() *ui.Table {
	head := []string{"flicker", "coverage", "area", "stability", "worst", "jitter", "toggles", "a minute"}
	if r.tracks.HasTruth {
		head = append(head, "lost stability", "extra jitter", "extra toggles", "a minute")
	}
	t := ui.NewTable(head...)
	for _, o := range r.objects {
		t.Add(slices.Concat([]string{o.String()}, figures(r.flickerFigures(o.flicker)...))...)
	}
	t.Add(slices.Concat([]string{"mean"}, figures(r.meanFlicker()...))...)
	return t
}

// flickerFigures are the columns of a flicker, in the order of flickerTable.
func (r *trackReport) flickerFigures(f score.Flicker) []float64 {
	toggles := float64(f.Toggles)
	all := []float64{f.Coverage, f.Area, f.Stability, f.Worst, f.Jitter, toggles, f.PerMinute(toggles)}
	if r.tracks.HasTruth {
		all = append(all, f.Instability, f.ExtraJitter, f.ExtraToggles, f.PerMinute(f.ExtraToggles))
	}
	return all
}

// meanFlicker is the mean of each column over all objects.
func (r *trackReport) meanFlicker() []float64 {
	var means []float64
	for k := range r.flickerFigures(score.Flicker{}) {
		var column []float64
		for _, o := range r.objects {
			column = append(column, r.flickerFigures(o.flicker)[k])
		}
		means = append(means, score.Mean(column))
	}
	return means
}

// writeUnpaired lists objects that only one side has: a name may be misspelt.
func (r *trackReport) writeUnpaired(w io.Writer) error {
	var notFound, notTrue []string
	for _, o := range r.objects {
		switch {
		case o.Result < 0 && o.InTruth():
			notFound = append(notFound, o.String())
		case o.Truth < 0:
			notTrue = append(notTrue, o.String())
		}
	}
	var b strings.Builder
	if len(notFound) > 0 {
		fmt.Fprintf(&b, "\nThe result does not know: %s. They count with J and F of an empty mask.\n", printable.Text(strings.Join(notFound, ", ")))
	}
	if len(notTrue) > 0 {
		fmt.Fprintf(&b, "\nThe truth does not know: %s. They count as absent in presence, and not in J and F.\n", printable.Text(strings.Join(notTrue, ", ")))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
