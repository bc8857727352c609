package evaluate

import (
	"fmt"
	"io"
	"strings"

	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
)

// A Summary is the result of a data set.
type Summary struct {
	MessageType string  `json:"message_type"` // "summary"
	Dataset     string  `json:"dataset"`
	Split       string  `json:"split,omitempty"`
	Protocol    string  `json:"protocol"`
	Samples     int     `json:"samples"`
	Frames      int     `json:"frames"`
	Seconds     float64 `json:"seconds"`

	// Semantic.
	With        *Figure      `json:"miou,omitempty"`
	Without     *Figure      `json:"miou_without_background,omitempty"`
	AsReference *Figure      `json:"miou_without_background_as_published_code,omitempty"`
	Classes     []ClassScore `json:"classes,omitempty"`

	Referring *Referring `json:"referring,omitempty"`

	// VOS, over all objects of all sequences.
	J  *score.Stat `json:"j,omitempty"`
	F  *score.Stat `json:"f,omitempty"`
	JF *Figure     `json:"jf,omitempty"`

	// Concepts: a row for each video, and one for all.
	Films []VideoScore `json:"films,omitempty"`

	Notes []string `json:"notes,omitempty"`
}

// A ClassScore is the IoU of one class.
type ClassScore struct {
	Class string `json:"class"`
	IoU   Figure `json:"iou"`
}

// Sum sums up the samples of the set that the results have.
func (r *Results) Sum(set *dataset.Set) (*Summary, error) {
	s := &Summary{MessageType: "summary", Dataset: set.Name, Split: set.Split, Protocol: string(set.Protocol), Notes: set.Notes}
	var objects []annotation.Object
	for i, name := range set.Classes {
		objects = append(objects, annotation.Object{ID: i + 1, Name: name})
	}
	confusion := score.NewConfusion(objects)
	var tracks []*score.Track
	var regions []score.Regions
	var films []*SampleResult
	for i := range set.Samples {
		res := r.done[set.Samples[i].ID]
		if res == nil {
			continue
		}
		s.Samples++
		s.Frames += res.Frames
		s.Seconds += res.Seconds
		for _, p := range res.Pixels {
			if n := int64(len(confusion.Pixels)); p[0] < 0 || p[0] >= n || p[1] < 0 || p[1] >= n {
				return nil, fmt.Errorf("summing up sample %s: there is no class %d or %d", res.ID, p[0], p[1])
			}
			confusion.Pixels[p[0]][p[1]] += p[2]
		}
		tracks = append(tracks, &score.Track{TruthArea: []int{res.TruthArea}, Ignored: []bool{false},
			Intersection: []int{res.Intersection}, Union: []int{res.Union}})
		if res.Film != nil {
			films = append(films, res)
		}
		for _, o := range res.Objects {
			regions = append(regions, score.Regions{J: o.J, F: o.F})
		}
	}
	number := func(v float64) *Figure { f := Figure(v); return &f }
	switch set.Protocol {
	case dataset.Semantic:
		if set.Background {
			s.With = number(confusion.MeanIoU(score.WithBackground))
		}
		s.Without, s.AsReference = number(confusion.MeanIoU(score.WithoutBackground)), number(confusion.MeanIoU(score.AsReference))
		form := score.WithoutBackground
		if set.Background {
			form = score.WithBackground
			s.Classes = append(s.Classes, ClassScore{background, Figure(confusion.IoU(0, form))})
		}
		for k, name := range set.Classes {
			s.Classes = append(s.Classes, ClassScore{name, Figure(confusion.IoU(k+1, form))})
		}
	case dataset.Refer:
		j := toReferring(score.Refer(tracks...))
		s.Referring = &j
	case dataset.Concepts:
		s.Films = videoScores(films)
	default:
		mean := score.MeanRegions(regions)
		s.J, s.F, s.JF = &mean.J, &mean.F, number(mean.JF())
	}
	return s, nil
}

// WriteText writes the summary for people.
func (s *Summary) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s, %.2f s each\n", printable.Text(strings.TrimSpace(s.Dataset+" "+s.Split)), ui.Counted(s.Samples, "sample"), s.Seconds/float64(max(s.Samples, 1)))
	for _, n := range s.Notes {
		fmt.Fprintf(w, "  %s\n", printable.Text(n))
	}
	fmt.Fprintln(w)
	switch {
	case s.Films != nil:
		return videoTable(s.Films).Write(w)
	case s.Referring != nil:
		t := ui.NewTable("samples", "overall", "mean", "P@0.5", "P@0.6", "P@0.7", "P@0.8", "P@0.9")
		r := s.Referring
		row := []string{fmt.Sprint(r.Samples), r.Overall.String(), r.Mean.String()}
		for _, threshold := range score.Thresholds {
			row = append(row, r.Precision[fmt.Sprintf("%.1f", threshold)].String())
		}
		t.Add(row...)
		return t.Write(w)
	case s.J != nil:
		t := ui.NewTable("", "mean", "recall", "decay")
		t.Add(append([]string{"J"}, figures(s.J.Mean, s.J.Recall, s.J.Decay)...)...)
		t.Add(append([]string{"F"}, figures(s.F.Mean, s.F.Recall, s.F.Decay)...)...)
		t.Add("J&F", s.JF.String(), "", "")
		return t.Write(w)
	}
	t := ui.NewTable("class", "IoU")
	for _, c := range s.Classes {
		t.Add(c.Class, c.IoU.String())
	}
	if s.With != nil {
		t.Add("mean, with background", s.With.String())
	}
	t.Add("mean, without background", s.Without.String())
	t.Add("mean, without, as the published code", s.AsReference.String())
	return t.Write(w)
}
