package annotation

import (
	"fmt"

	"github.com/carve-video/carve/internal/plural"
)

// cocoVideoMasks backs the sequence of a JSON file. It holds the runs of one video and
// decodes them frame by frame.
type cocoVideoMasks struct {
	w, h    int
	objects []Object
	tracks  []objectTrack
	crowds  []cocoTrack
}

type objectTrack struct {
	cocoTrack
	object int // index among the objects
}

// pick takes the tracks of one video out of a file and checks them.
func (c *cocoVideoMasks) pick(s *Sequence, file *cocoFile, video int, minScore float64) error {
	s.video = &video
	place := map[int]int{}
	for i, o := range s.Objects {
		place[o.ID] = i
	}
	videos := map[int]bool{}
	for _, v := range file.Videos {
		videos[v.ID] = true
	}
	for n, t := range file.Annotations {
		what := fmt.Sprintf("annotation %d", t.ID)
		if t.ID == 0 {
			what = fmt.Sprintf("result %d", n)
		}
		if len(videos) > 0 && !videos[t.VideoID] {
			return fmt.Errorf("%s is about video %d, which is not there", what, t.VideoID)
		}
		if t.VideoID != video || t.Score != nil && *t.Score < minScore {
			continue
		}
		k, ok := place[t.CategoryID]
		if !ok {
			return fmt.Errorf("%s is of category %d, which is not there", what, t.CategoryID)
		}
		if len(t.Segmentations) != s.length {
			return fmt.Errorf("%s has masks for %s, and the video has %d: frame %s is the first that differs",
				what, plural.Of(len(t.Segmentations), "frame"), s.length, s.FrameName(min(len(t.Segmentations), s.length)))
		}
		for i, r := range t.Segmentations {
			if r != nil && (r.W != s.W || r.H != s.H) {
				return fmt.Errorf("%s is %dx%d in frame %s, and the video is %dx%d", what, r.W, r.H, s.FrameName(i), s.W, s.H)
			}
		}
		if t.Crowd != 0 {
			c.crowds = append(c.crowds, t)
		} else {
			c.tracks = append(c.tracks, objectTrack{t, k})
		}
	}
	return nil
}

// frame decodes frame i.
func (c *cocoVideoMasks) frame(i int) (*Frame, error) {
	f := &Frame{W: c.w, H: c.h, Masks: make([]*Mask, len(c.objects))}
	shown := map[int]bool{}
	for _, t := range c.tracks {
		if t.Segmentations[i] != nil {
			shown[t.object] = true
		}
	}
	if err := checkMemory(len(shown), c.w, c.h); err != nil {
		return nil, err
	}
	for _, t := range c.tracks {
		if r := t.Segmentations[i]; r != nil {
			if f.Masks[t.object] == nil {
				f.Masks[t.object] = NewMask(c.w, c.h)
			}
			r.draw(f.Masks[t.object])
		}
	}
	for _, t := range c.crowds {
		if r := t.Segmentations[i]; r != nil {
			if f.Void == nil {
				f.Void = NewMask(c.w, c.h)
			}
			r.draw(f.Void)
		}
	}
	for _, m := range f.Masks {
		f.Void.Remove(m)
	}
	return f, nil
}
