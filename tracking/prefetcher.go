package tracking

import (
	"context"
	"slices"

	"github.com/carve-video/carve/car"
)

// A Prefetcher runs the model's trunk over frames before the Tracker comes to them. The
// trunk needs no state: while the loop of one frame runs, the next one can be encoded. That
// is done for frames that are key frames whatever becomes of the queries: every one without
// memory, the first of a shot, those of a fixed interval, and abrupt changes. The others
// are not known before the Tracker has decided, and encoding a frame for nothing costs more
// than encoding it late.
//
// It is of use between a MotionAnalyzer and a Tracker that run at the same time, with a
// [car.Proposer] that may be called from several goroutines. It is for one goroutine.
type Prefetcher struct {
	// Segmenter encodes; Stateless and Every are the Tracker's.
	Segmenter *car.Segmenter
	Stateless bool
	Every     int
	// Batch is how many frames are held back at most, so that those of them that are to be
	// encoded are encoded in one batch: for devices that one image does not fill. 0 and 1
	// hold nothing back.
	Batch int

	schedule schedule
	held     []*Analysis
	certain  []*Analysis // of those that are held, the ones to encode
}

// Next takes the next frame, and returns those that may go on, in order. What it returns
// and what it held is the caller's again, also if it fails.
func (l *Prefetcher) Next(ctx context.Context, a *Analysis) (done []*Analysis, err error) {
	l.schedule.stateless, l.schedule.every = l.Stateless, int64(l.Every)
	l.held = append(l.held, a)
	if l.schedule.due(a) != "" && (!a.Blank || l.Stateless) {
		l.schedule.key = a.Frame
		l.certain = append(l.certain, a)
	}
	if len(l.certain) > 0 && len(l.held) < l.Batch {
		return nil, nil
	}
	return l.Flush(ctx)
}

// Flush encodes what is held back, and returns it.
func (l *Prefetcher) Flush(ctx context.Context) (done []*Analysis, err error) {
	done = slices.Clone(l.held)
	if len(l.certain) > 0 {
		var images []*car.Image
		for _, a := range l.certain {
			images = append(images, a.Image)
		}
		var encoded []*car.EncodedImage
		if encoded, err = l.Segmenter.EncodeImages(ctx, images); err == nil {
			for i, a := range l.certain {
				a.encoded = encoded[i]
			}
		}
	}
	clear(l.held)
	clear(l.certain)
	l.held, l.certain = l.held[:0], l.certain[:0]
	return done, err
}

// Restore makes it go on after a checkpoint.
func (l *Prefetcher) Restore(c *Checkpoint) { l.schedule.key = c.Tracker.LastKey.Frame }
