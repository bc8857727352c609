package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"

	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
	"github.com/gofrs/flock"
)

// results is the file of an evaluation: a head that says how it was made, and a
// line for every sample. It is only ever added to, so that a run that was cut off
// loses a line at most, and goes on behind what is whole. Nothing is changed or
// made before the first sample is there.
type results struct {
	path  string
	head  resultsHead
	file  *os.File // nil as long as there is none
	lock  *flock.Flock
	whole int64 // bytes of whole lines; 0 if the file is still to be begun
	begun bool  // this run has written to it
	done  map[string]*sampleResult
	list  []*sampleResult // in the order of the file
}

// A resultsHead says what all samples of a file have in common.
type resultsHead struct {
	MessageType string   `json:"message_type"` // "run"
	Version     string   `json:"version"`
	Dataset     string   `json:"dataset"`
	Split       string   `json:"split,omitempty"`
	Protocol    string   `json:"protocol"`
	Model       string   `json:"model"`
	Classifier  string   `json:"classifier,omitempty"`
	Precision   string   `json:"precision"`
	MaxSide     int      `json:"max_side,omitempty"`
	Preset      string   `json:"preset"`
	Compat      bool     `json:"compat,omitempty"`
	Memory      string   `json:"memory"`
	Oracle      bool     `json:"oracle,omitempty"`
	Settings    string   `json:"settings"` // fingerprint of the preset with all that was changed in it
	Notes       []string `json:"notes,omitempty"`
}

func fingerprint(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// openResults takes in a file to add to, or plans to begin one. What it replaces
// with anew, or adds to, is a file of results and nothing else.
func openResults(path string, anew bool, head resultsHead) (_ *results, err error) {
	if err := areResults(path); err != nil {
		return nil, err
	}
	r := &results{path: path, head: head, done: make(map[string]*sampleResult)}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	err = r.open()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, nil
	case err != nil:
		return nil, err
	}
	if !anew {
		if r.whole, err = r.read(path, head); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// open opens and locks the file that is there.
func (r *results) open() (err error) {
	if r.file, err = os.OpenFile(r.path, os.O_RDWR, 0); err != nil {
		r.file = nil
		return fmt.Errorf("opening results: %w", err)
	}
	r.lock = flock.New(r.path, flock.SetFlag(os.O_RDWR))
	// A file system without locks is no reason not to work.
	if ok, err := r.lock.TryLock(); !ok && err == nil {
		return ui.WithHint(fmt.Errorf("opening results: another run is writing %s", r.path), "wait for it, or name a new file with -o")
	}
	return nil
}

// areResults demands that a path is free, or a file of results: of nothing else
// may the end be cut off, or all of it with -y.
func areResults(path string) error {
	other := ui.WithHint(fmt.Errorf("opening results: %s is another kind of file", path), "name a new file with -o")
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("opening results: %w", err)
	case !fi.Mode().IsRegular():
		return other
	case fi.Size() == 0:
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening results: %w", err)
	}
	defer f.Close()
	// The first line holds the settings of a run, which are a few kilobytes.
	line, err := bufio.NewReader(io.LimitReader(f, 1<<20)).ReadBytes('\n')
	var head resultsHead
	if err != nil || json.Unmarshal(line, &head) != nil || head.MessageType != "run" {
		return other
	}
	return nil
}

// read takes in what is there, and returns how much of the file is whole lines.
func (r *results) read(path string, head resultsHead) (whole int64, err error) {
	lines := bufio.NewReader(r.file)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil // without an end of line it is not whole
		}
		if err != nil {
			return 0, fmt.Errorf("reading results %s: %w", path, err)
		}
		if n == 1 {
			var found resultsHead
			if err := json.Unmarshal(line, &found); err != nil {
				return 0, fmt.Errorf("reading results %s: line 1: %w", path, err)
			}
			found.Version, found.Notes = head.Version, head.Notes // may differ
			if !reflect.DeepEqual(found, head) {
				return 0, ui.WithHint(fmt.Errorf("opening results: %s was made with other settings", path), "name a new file with -o, or begin anew with -y")
			}
		} else {
			s := new(sampleResult)
			if err := json.Unmarshal(bytes.TrimSpace(line), s); err != nil || s.MessageType != "sample" {
				return 0, fmt.Errorf("reading results %s: line %d is no sample", path, n)
			}
			r.done[s.ID] = s
			r.list = append(r.list, s)
		}
		whole += int64(len(line))
	}
}

func (r *results) has(id string) bool { return r.done[id] != nil }

// add writes a sample. The first one begins the file, or cuts off what a run that
// was interrupted left behind the last whole line.
func (r *results) add(s *sampleResult) error {
	err := r.write(s)
	if err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	r.done[s.ID] = s
	r.list = append(r.list, s)
	return nil
}

func (r *results) write(s *sampleResult) error {
	var text bytes.Buffer
	if r.whole == 0 {
		if err := ui.WriteJSONLine(&text, r.head); err != nil {
			return err
		}
	}
	if err := ui.WriteJSONLine(&text, s); err != nil {
		return err
	}
	if r.whole == 0 {
		return r.begin(text.Bytes())
	}
	if !r.begun {
		if err := r.file.Truncate(r.whole); err != nil {
			return err
		}
		r.begun = true
	}
	if _, err := r.file.WriteAt(text.Bytes(), r.whole); err != nil {
		return errors.Join(err, r.file.Truncate(r.whole))
	}
	r.whole += int64(text.Len())
	return nil
}

// begin makes the file. What it replaces stays until the new one is whole.
func (r *results) begin(text []byte) error {
	replaces := r.file != nil // it was looked at, and is locked
	if err := atomicfile.WriteFile(r.path, text, atomicfile.Options{Overwrite: replaces}); err != nil {
		return err
	}
	r.close()
	if err := r.open(); err != nil {
		return err
	}
	r.whole, r.begun = int64(len(text)), true
	return nil
}

func (r *results) close() error {
	if r.file == nil {
		return nil
	}
	return errors.Join(r.file.Close(), r.lock.Close())
}

// An evalSummary is what a data set came to.
type evalSummary struct {
	MessageType string  `json:"message_type"` // "summary"
	Dataset     string  `json:"dataset"`
	Split       string  `json:"split,omitempty"`
	Protocol    string  `json:"protocol"`
	Samples     int     `json:"samples"`
	Frames      int     `json:"frames"`
	Seconds     float64 `json:"seconds"`

	// Semantic.
	With        *figure      `json:"miou,omitempty"`
	Without     *figure      `json:"miou_without_background,omitempty"`
	AsReference *figure      `json:"miou_without_background_as_published_code,omitempty"`
	Classes     []classScore `json:"classes,omitempty"`

	Referring *referringJSON `json:"referring,omitempty"`

	// VOS, over all objects of all sequences.
	J  *score.Stat `json:"j,omitempty"`
	F  *score.Stat `json:"f,omitempty"`
	JF *figure     `json:"jf,omitempty"`

	// Concepts: a row for each film, and one for all.
	Films []filmScore `json:"films,omitempty"`

	Notes []string `json:"notes,omitempty"`
}

type classScore struct {
	Class string `json:"class"`
	IoU   figure `json:"iou"`
}

// sum sums up the samples of the set that are there.
func (r *results) sum(set *dataset.Set) (*evalSummary, error) {
	s := &evalSummary{MessageType: "summary", Dataset: set.Name, Split: set.Split, Protocol: string(set.Protocol), Notes: set.Notes}
	var objects []annotation.Object
	for i, name := range set.Classes {
		objects = append(objects, annotation.Object{ID: i + 1, Name: name})
	}
	confusion := score.NewConfusion(objects)
	var tracks []*score.Track
	var regions []score.Regions
	var films []*sampleResult
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
	number := func(v float64) *figure { f := figure(v); return &f }
	switch set.Protocol {
	case dataset.Semantic:
		if set.Background {
			s.With = number(confusion.MeanIoU(score.WithBackground))
		}
		s.Without, s.AsReference = number(confusion.MeanIoU(score.WithoutBackground)), number(confusion.MeanIoU(score.AsReference))
		form := score.WithoutBackground
		if set.Background {
			form = score.WithBackground
			s.Classes = append(s.Classes, classScore{background, figure(confusion.IoU(0, form))})
		}
		for k, name := range set.Classes {
			s.Classes = append(s.Classes, classScore{name, figure(confusion.IoU(k+1, form))})
		}
	case dataset.Refer:
		j := toReferringJSON(score.Refer(tracks...))
		s.Referring = &j
	case dataset.Concepts:
		s.Films = filmScores(films)
	default:
		mean := score.MeanRegions(regions)
		s.J, s.F, s.JF = &mean.J, &mean.F, number(mean.JF())
	}
	return s, nil
}

// write prints the summary for people.
func (s *evalSummary) write(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s, %.2f s each\n", printable.Text(strings.TrimSpace(s.Dataset+" "+s.Split)), ui.Counted(s.Samples, "sample"), s.Seconds/float64(max(s.Samples, 1)))
	for _, n := range s.Notes {
		fmt.Fprintf(w, "  %s\n", printable.Text(n))
	}
	fmt.Fprintln(w)
	switch {
	case s.Films != nil:
		return filmTable(s.Films).Write(w)
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
