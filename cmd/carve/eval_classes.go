package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
)

// semanticReport is what the protocol semantic prints.
type semanticReport struct {
	*evaluation
	confusion *score.Confusion
}

// background is what class 0 is called.
const background = "background"

// classes calls do for every class that the truth or the result has.
func (r *semanticReport) classes(do func(name string, id int, there, taken int64, iou float64)) {
	for k, row := range r.confusion.Pixels {
		name, id := background, 0
		if k > 0 {
			o := r.confusion.Objects[k-1]
			name, id = o.String(), o.ID
		}
		there, taken := int64(0), int64(0)
		for other := range row {
			there += row[other]
			taken += r.confusion.Pixels[other][k]
		}
		do(name, id, there, taken, r.confusion.IoU(k, score.WithBackground))
	}
}

func (r *semanticReport) writeText(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s of %dx%d, %s\n\n", r.protocol, ui.Counted(r.result.Len(), "frame"), r.result.W, r.result.H, ui.Counted(len(r.pairs), "object"))
	t := ui.NewTable("class", "pixels", "taken for it", "IoU")
	r.classes(func(name string, _ int, there, taken int64, iou float64) {
		t.Add(name, strconv.FormatInt(there, 10), strconv.FormatInt(taken, 10), figure(iou).String())
	})
	if err := t.Write(w); err != nil {
		return err
	}
	fmt.Fprintln(w)
	t = ui.NewTable("mean IoU", "")
	for _, of := range []struct {
		name string
		b    score.Background
	}{{"with background", score.WithBackground}, {"without background", score.WithoutBackground}, {"without background, as the published code", score.AsReference}} {
		t.Add(of.name, figure(r.confusion.MeanIoU(of.b)).String())
	}
	return t.Write(w)
}

type classJSON struct {
	MessageType string `json:"message_type"`
	Object      string `json:"object"`
	ID          int    `json:"id,omitempty"`
	Pixels      int64  `json:"pixels"`
	Taken       int64  `json:"pixels_taken_for_it"`
	IoU         figure `json:"iou"`
}

func (r *semanticReport) writeJSON(w io.Writer) (err error) {
	r.classes(func(name string, id int, there, taken int64, iou float64) {
		if err == nil {
			err = ui.WriteJSONLine(w, classJSON{"object", name, id, there, taken, figure(iou)})
		}
	})
	if err != nil {
		return err
	}
	return ui.WriteJSONLine(w, struct {
		summaryJSON
		With        figure `json:"miou"`
		Without     figure `json:"miou_without_background"`
		AsReference figure `json:"miou_without_background_as_published_code"`
	}{r.summary(r.result.Len()), figure(r.confusion.MeanIoU(score.WithBackground)),
		figure(r.confusion.MeanIoU(score.WithoutBackground)), figure(r.confusion.MeanIoU(score.AsReference))})
}

// referReport is what the protocol refer prints.
type referReport struct {
	*evaluation
	tracks  *score.Tracks
	objects []score.Referring
	all     score.Referring
}

func newReferReport(e *evaluation, t *score.Tracks) *referReport {
	r := &referReport{evaluation: e, tracks: t, all: score.Refer(t.Objects...)}
	for _, o := range t.Objects {
		r.objects = append(r.objects, score.Refer(o))
	}
	return r
}

func (r *referReport) writeText(w io.Writer) error {
	fmt.Fprintf(w, "%s\n\n", r.heading(r.tracks))
	head := []string{"object", "samples", "overall", "mean"}
	for _, threshold := range score.Thresholds {
		head = append(head, fmt.Sprintf("P@%.1f", threshold))
	}
	t := ui.NewTable(head...)
	row := func(name string, of score.Referring) {
		t.Add(slices.Concat([]string{name, strconv.Itoa(of.Samples)}, figures(of.Overall, of.Mean), figures(of.Precision[:]...))...)
	}
	for i, o := range r.tracks.Objects {
		if o.Truth >= 0 {
			row(o.String(), r.objects[i])
		}
	}
	row("all", r.all)
	return t.Write(w)
}

type referringJSON struct {
	Samples   int               `json:"samples"`
	Overall   figure            `json:"overall_iou"`
	Mean      figure            `json:"mean_iou"`
	Precision map[string]figure `json:"precision_at"`
}

func toReferringJSON(r score.Referring) referringJSON {
	j := referringJSON{r.Samples, figure(r.Overall), figure(r.Mean), map[string]figure{}}
	for k, threshold := range score.Thresholds {
		j.Precision[fmt.Sprintf("%.1f", threshold)] = figure(r.Precision[k])
	}
	return j
}

func (r *referReport) writeJSON(w io.Writer) error {
	for i, o := range r.tracks.Objects {
		if o.Truth < 0 {
			continue
		}
		if err := ui.WriteJSONLine(w, struct {
			MessageType string `json:"message_type"`
			Object      string `json:"object"`
			ID          int    `json:"id,omitempty"`
			referringJSON
		}{"object", o.String(), o.ID, toReferringJSON(r.objects[i])}); err != nil {
			return err
		}
	}
	return ui.WriteJSONLine(w, struct {
		summaryJSON
		referringJSON
	}{r.summary(r.tracks.Frames), toReferringJSON(r.all)})
}
