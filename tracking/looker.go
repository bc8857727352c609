package tracking

import (
	"context"
	"slices"

	"github.com/carve-video/carve/car"
)

// A Looker runs the model's trunk over frames before the Tracker comes to them. The
// trunk needs no state: while the loop of one frame is at work, the next one can be
// looked at. That is done for frames that are key frames whatever becomes of the
// queries: every one without memory, the first of a shot, each so many where that is
// given, and what startles. Of the others nobody knows before the Tracker has
// decided, and a look for nothing costs more than a late one.
//
// Between a Watcher and a Tracker it is of use where they run at the same time, and
// the [car.Proposer] bears to be called from several goroutines. It is for one.
type Looker struct {
	// Segmenter looks; Stateless and Every are the Tracker's.
	Segmenter *car.Segmenter
	Stateless bool
	Every     int
	// Batch is how many frames are held back at most, so that those of them that are
	// to be looked at can be in one go: for devices that one picture does not fill.
	// 0 and 1 hold nothing back.
	Batch int

	timetable timetable
	held      []*Sight
	sure      []*Sight // of those that are held, whom to look at
}

// Next takes the next sight, and returns those that may go on, in order. What it
// returns and what it held is the caller's again, also if it fails.
func (l *Looker) Next(ctx context.Context, s *Sight) (done []*Sight, err error) {
	l.timetable.stateless, l.timetable.every = l.Stateless, int64(l.Every)
	l.held = append(l.held, s)
	if l.timetable.due(s) != "" && (!s.Blank || l.Stateless) {
		l.timetable.key = s.Frame
		l.sure = append(l.sure, s)
	}
	if len(l.sure) > 0 && len(l.held) < l.Batch {
		return nil, nil
	}
	return l.Flush(ctx)
}

// Flush looks at what is held back, and returns it.
func (l *Looker) Flush(ctx context.Context) (done []*Sight, err error) {
	done = slices.Clone(l.held)
	if len(l.sure) > 0 {
		var images []*car.Image
		for _, s := range l.sure {
			images = append(images, s.Image)
		}
		var encodedImages []*car.EncodedImage
		if encodedImages, err = l.Segmenter.EncodeImages(ctx, images); err == nil {
			for i, s := range l.sure {
				s.encoded = encodedImages[i]
			}
		}
	}
	clear(l.held)
	clear(l.sure)
	l.held, l.sure = l.held[:0], l.sure[:0]
	return done, err
}

// A timetable knows which frames are key frames whatever becomes of the queries.
type timetable struct {
	stateless bool
	every     int64
	key       int64 // the last key frame
}

// due says why a frame is a key frame, if that is certain.
func (t *timetable) due(s *Sight) string {
	switch {
	case t.stateless:
		return whyOff
	case s.Fresh:
		return whyFresh
	case t.every > 0 && s.Frame-t.key >= t.every:
		return whyEvery
	case t.every == 0 && s.Startled:
		return whyStartled
	}
	return ""
}
