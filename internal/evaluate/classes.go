package evaluate

import (
	"fmt"
	"io"
	"strconv"

	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
)

// semanticReport is the report of the protocol semantic.
type semanticReport struct {
	*Evaluation
	confusion *score.Confusion
}

// background is the name of class 0.
const background = "background"

// classes calls do for every class that occurs in the truth or the result.
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

func (r *semanticReport) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s of %dx%d, %s\n\n", r.options.Protocol, ui.Counted(r.result.Len(), "frame"), r.result.W, r.result.H, ui.Counted(len(r.pairs), "object"))
	t := ui.NewTable("class", "pixels", "taken for it", "IoU")
	r.classes(func(name string, _ int, there, taken int64, iou float64) {
		t.Add(name, strconv.FormatInt(there, 10), strconv.FormatInt(taken, 10), Figure(iou).String())
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
		t.Add(of.name, Figure(r.confusion.MeanIoU(of.b)).String())
	}
	return t.Write(w)
}

type classJSON struct {
	MessageType string `json:"message_type"`
	Object      string `json:"object"`
	ID          int    `json:"id,omitempty"`
	Pixels      int64  `json:"pixels"`
	Taken       int64  `json:"pixels_taken_for_it"`
	IoU         Figure `json:"iou"`
}

func (r *semanticReport) WriteJSON(w io.Writer) (err error) {
	r.classes(func(name string, id int, there, taken int64, iou float64) {
		if err == nil {
			err = ui.WriteJSONLine(w, classJSON{"object", name, id, there, taken, Figure(iou)})
		}
	})
	if err != nil {
		return err
	}
	return ui.WriteJSONLine(w, struct {
		summaryJSON
		With        Figure `json:"miou"`
		Without     Figure `json:"miou_without_background"`
		AsReference Figure `json:"miou_without_background_as_published_code"`
	}{r.summary(r.result.Len()), Figure(r.confusion.MeanIoU(score.WithBackground)),
		Figure(r.confusion.MeanIoU(score.WithoutBackground)), Figure(r.confusion.MeanIoU(score.AsReference))})
}
