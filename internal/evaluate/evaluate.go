// Package evaluate measures masks: those of two folders or files against each other,
// see [Open], and those that carve makes of a data set, see [Runner] and [Results].
// Reports are text or JSON.
//
// Its errors say what is wrong. Hints for the user are added by the command line, which
// tells errors apart by their types.
package evaluate

import (
	"context"
	"fmt"
	"io"

	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/score"
)

// Protocols of [Options].
const (
	ProtocolVOS      = "vos"      // J and F over all frames
	ProtocolDAVIS    = "davis"    // J and F without the first and the last frame
	ProtocolSemantic = "semantic" // one confusion matrix
	ProtocolRefer    = "refer"    // IoUs of expressions
)

// Options select the masks to measure, and how.
type Options struct {
	Truth    string // folder or file; if empty, only flicker is measured
	Result   string // folder or file
	Protocol string
	FPS      float64 // frames a second, for toggles a minute; 0 if unknown
	Video    string  // the video of a JSON file
	MinScore float64 // results of a JSON file with a lower score are dropped
	Threads  int     // frames measured at once; 0 is one for each core
}

// An Evaluation is two sequences that can be compared, or a result alone.
type Evaluation struct {
	options Options
	truth   *annotation.Sequence // nil for none
	result  *annotation.Sequence
	pairs   []score.Pair
}

// A Report is the outcome of a measurement, as text and as JSON.
type Report interface {
	// WriteText writes tables.
	WriteText(w io.Writer) error
	// WriteJSON writes a JSON object for each object, and one for all, a line each.
	WriteJSON(w io.Writer) error
}

// Open checks all that can be known of both sides before frames are measured.
func Open(ctx context.Context, o Options) (*Evaluation, error) {
	e := &Evaluation{options: o}
	read := annotation.Options{Video: o.Video, MinScore: o.MinScore, Workers: o.Threads}
	var err error
	if o.Truth != "" {
		if e.truth, err = annotation.Open(ctx, o.Truth, read); err != nil {
			return nil, fmt.Errorf("reading the truth: %w", err)
		}
		read.Like = e.truth
	}
	if e.result, err = annotation.Open(ctx, o.Result, read); err != nil {
		return nil, fmt.Errorf("reading the result: %w", err)
	}
	if e.pairs, err = score.Match(e.truth, e.result); err != nil {
		return nil, fmt.Errorf("comparing truth and result: %w", err)
	}
	if o.Protocol == ProtocolDAVIS && e.result.Len() < 3 {
		return nil, fmt.Errorf("comparing truth and result: the protocol davis leaves out the first frame and the last, and there are only %d", e.result.Len())
	}
	return e, nil
}

// Measure measures all frames.
func (e *Evaluation) Measure(ctx context.Context) (Report, error) {
	if e.options.Protocol == ProtocolSemantic {
		c, err := score.Confuse(ctx, e.truth, e.result, e.pairs, e.options.Threads)
		if err != nil {
			return nil, fmt.Errorf("measuring: %w", err)
		}
		return &semanticReport{e, c}, nil
	}
	t, err := score.Follow(ctx, e.truth, e.result, e.pairs, e.options.Threads)
	if err != nil {
		return nil, fmt.Errorf("measuring: %w", err)
	}
	if e.options.Protocol == ProtocolRefer {
		return newReferReport(e, t), nil
	}
	return newTrackReport(e, t), nil
}
