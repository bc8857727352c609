package tracking

import (
	"context"
	"slices"

	"github.com/carve-video/carve/car"
)

// A Prefetcher runs the model's trunk over frames before the Tracker needs it. The trunk
// needs no state, so a frame can be encoded while the loop of the frame before runs. A
// Prefetcher encodes only frames that are key frames whatever the state of the queries:
// every frame if the Tracker is stateless, the first of a shot, those of a fixed interval,
// and abrupt changes. Whether another frame is a key frame is known only after the Tracker
// has decided, and encoding a frame for nothing costs more than encoding it late.
//
// It is useful between a MotionAnalyzer and a Tracker that run in goroutines of their own,
// with a [car.Proposer] that may be called from several goroutines. A Prefetcher itself is
// for one goroutine.
type Prefetcher struct {
	// Segmenter encodes; Stateless and Every are the Tracker's.
	Segmenter *car.Segmenter
	Stateless bool
	Every     int
	// Batch is the number of frames that are collected and then encoded in one batch, for
	// devices that one image does not fill. With 0 and 1 no frame is held back.
	Batch int

	schedule schedule
	held     []*Analysis
	certain  []*Analysis // held frames that are certain to be key frames
}

// Next takes the next frame, and returns the frames that are no longer held back, in order.
// They belong to the caller again, also if Next fails.
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

// Restore makes the Prefetcher go on after a checkpoint.
func (l *Prefetcher) Restore(c *Checkpoint) { l.schedule.key = c.Tracker.LastKey.Frame }
