package evaluate

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
)

// referReport is the report of the protocol refer.
type referReport struct {
	*Evaluation
	tracks  *score.Tracks
	objects []score.Referring
	all     score.Referring
}

func newReferReport(e *Evaluation, t *score.Tracks) *referReport {
	r := &referReport{Evaluation: e, tracks: t, all: score.Refer(t.Objects...)}
	for _, o := range t.Objects {
		r.objects = append(r.objects, score.Refer(o))
	}
	return r
}

func (r *referReport) WriteText(w io.Writer) error {
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

// Referring has the results for expressions in JSON's form.
type Referring struct {
	Samples   int               `json:"samples"`
	Overall   Figure            `json:"overall_iou"`
	Mean      Figure            `json:"mean_iou"`
	Precision map[string]Figure `json:"precision_at"`
}

func toReferring(r score.Referring) Referring {
	j := Referring{r.Samples, Figure(r.Overall), Figure(r.Mean), map[string]Figure{}}
	for k, threshold := range score.Thresholds {
		j.Precision[fmt.Sprintf("%.1f", threshold)] = Figure(r.Precision[k])
	}
	return j
}

func (r *referReport) WriteJSON(w io.Writer) error {
	for i, o := range r.tracks.Objects {
		if o.Truth < 0 {
			continue
		}
		if err := ui.WriteJSONLine(w, struct {
			MessageType string `json:"message_type"`
			Object      string `json:"object"`
			ID          int    `json:"id,omitempty"`
			Referring
		}{"object", o.String(), o.ID, toReferring(r.objects[i])}); err != nil {
			return err
		}
	}
	return ui.WriteJSONLine(w, struct {
		summaryJSON
		Referring
	}{r.summary(r.tracks.Frames), toReferring(r.all)})
}
