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
type Prefetcher struct {
	// Segmenter looks; Stateless and Every are the Tracker's.
	Segmenter *car.Segmenter
	Stateless bool
	Every     int
	// Batch is how many frames are held back at most, so that those of them that are
	// to be looked at can be in one go: for devices that one picture does not fill.
	// 0 and 1 hold nothing back.
	Batch int

	schedule schedule
	held     []*Analysis
	certain  []*Analysis // of those that are held, whom to look at
}

// Next takes the next sight, and returns those that may go on, in order. What it
// returns and what it held is the caller's again, also if it fails.
func (l *Prefetcher) Next(ctx context.Context, s *Analysis) (done []*Analysis, err error) {
	l.schedule.stateless, l.schedule.every = l.Stateless, int64(l.Every)
	l.held = append(l.held, s)
	if l.schedule.due(s) != "" && (!s.Blank || l.Stateless) {
		l.schedule.key = s.Frame
		l.certain = append(l.certain, s)
	}
	if len(l.certain) > 0 && len(l.held) < l.Batch {
		return nil, nil
	}
	return l.Flush(ctx)
}

// Flush looks at what is held back, and returns it.
func (l *Prefetcher) Flush(ctx context.Context) (done []*Analysis, err error) {
	done = slices.Clone(l.held)
	if len(l.certain) > 0 {
		var images []*car.Image
		for _, s := range l.certain {
			images = append(images, s.Image)
		}
		var encodedImages []*car.EncodedImage
		if encodedImages, err = l.Segmenter.EncodeImages(ctx, images); err == nil {
			for i, s := range l.certain {
				s.encoded = encodedImages[i]
			}
		}
	}
	clear(l.held)
	clear(l.certain)
	l.held, l.certain = l.held[:0], l.certain[:0]
	return done, err
}

// A timetable knows which frames are key frames whatever becomes of the queries.
type schedule struct {
	stateless bool
	every     int64
	key       int64 // the last key frame
}

// due says why a frame is a key frame, if that is certain.
func (t *schedule) due(s *Analysis) string {
	switch {
	case t.stateless:
		return keyMemoryOff
	case s.NewShot:
		return keyNewShot
	case t.every > 0 && s.Frame-t.key >= t.every:
		return keyInterval
	case t.every == 0 && s.Abrupt:
		return keyAbrupt
	}
	return ""
}
