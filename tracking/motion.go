package tracking

import (
	"math"
	"sync"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// A Watcher sees in a video what no query is needed for: how everything moved
// since the frame before, where that explains nothing, and where a shot begins or
// there is nothing to see. It needs no state of the queries and may run ahead of
// them. It is for one goroutine.
type MotionAnalyzer struct {
	// Threads bounds its goroutines; 0 stands for runtime.GOMAXPROCS.
	Threads int
	// Gap is the time between two frames above which they are no neighbours: a live
	// stream that broke off. 0 stands for DefaultGap.
	Gap time.Duration
	// Motionless leaves the motion out, for who carries nothing along it.
	SkipMotion bool

	last          *Analysis // whose picture the next flow goes back to
	frame         int64
	typicalChange float32 // mean of the surprises of the shot so far; negative: none yet
	cuts          cutDetector
	flow          flow.Estimator

	mu   sync.Mutex
	free []*Analysis
}

// DefaultGap is the pause after which nothing is carried on.
const DefaultGap = time.Second

// A Sight is one frame as the Watcher saw it.
type Analysis struct {
	Moment
	Image *car.Image

	// Fresh says that nothing of the frames before means anything here: the first
	// frame, a cut, a gap, the end of a blank.
	NewShot bool
	// Blank says that there is nothing to see: a picture of one colour.
	Blank bool
	// Motion goes back to the frame before; it has no size where there is none.
	Motion flow.Field
	// Startled says that more is unknown than the motion in this shot leaves
	// otherwise: something has come, gone, or changed at once.
	Abrupt bool
	// Brighter says that the picture gains contrast, as it does when it fades in: what
	// could not be seen before may be now.
	FadeIn bool

	encoded  *car.EncodedImage // where a Looker has been
	pyramid  flow.Pyramid
	analyzer *MotionAnalyzer
	w, h     int // size of the picture
	refs     int // who has not closed it yet
}

// Where surprise is news: this many times the shot's usual one, and so much more.
const (
	startle     = 2
	startleMore = 0.006
	usualGrows  = 0.1 // share of a new value in the mean
)

// brighter is the growth of contrast, from one frame to the next, that is a fade.
const brighter = 1.04

// What motion and light leave unexplained in a picture that is another one: so much
// of its contrast, and so much of 255. Between two shots it is nearly all of it; in a
// fade, where nothing but grain is left of the contrast, it is little of 255.
const (
	otherPicture    = 0.35
	otherPictureOff = 5
)

// blankContrast is the deviation of brightness, of 255, below which a picture
// shows nothing. Grain at the flow's resolution stays below it.
const blankContrast = 4

// Watch takes the next frame, which is at a time. The picture must stay as it is
// until the sight is closed.
func (w *MotionAnalyzer) Analyze(img *car.Image, at time.Duration) *Analysis {
	s := w.take()
	s.Image, s.Moment = img, Moment{w.frame, at}
	s.w, s.h = img.W, img.H // Image is the caller's again when the next frame comes
	w.frame++
	if w.SkipMotion {
		s.NewShot, s.refs = true, 1
		return s
	}
	s.pyramid.Build(img.Pix, img.W, img.H, threads(w.Threads))
	cut := w.cuts.cut(img)
	s.Blank = contrast(s.pyramid.Luma()) < blankContrast
	gap := w.Gap
	if gap == 0 {
		gap = DefaultGap
	}
	before := w.last
	s.NewShot = before == nil || before.Blank || at-before.Time > gap || at < before.Time ||
		before.w != img.W || before.h != img.H
	if !s.NewShot {
		_, _, factor := flow.Size(img.W, img.H)
		w.flow.Threads = threads(w.Threads)
		w.flow.Between(&s.pyramid, &before.pyramid, factor, &s.Motion)
		// Colours that change all at once are a cut, unless it is the same picture in
		// another light: a fade, a lamp.
		s.NewShot = cut && s.Motion.RelativeResidual > otherPicture && s.Motion.MeanResidual > otherPictureOff
	}
	if s.NewShot {
		s.Motion.W, s.Motion.H = 0, 0
		w.typicalChange = -1
	} else {
		s.Abrupt = w.isAbrupt(s.Motion.OccludedShare)
		s.FadeIn = s.Motion.ContrastGain > brighter
	}
	if before != nil {
		before.release()
	}
	w.last = s
	s.refs = 2 // whoever asked, and the next frame
	return s
}

// startled tells whether a surprise is news in this shot, and takes it into the mean.
// The first one of a shot is the mean.
func (w *MotionAnalyzer) isAbrupt(surprise float32) bool {
	if w.typicalChange < 0 {
		w.typicalChange = surprise
		return false
	}
	most := startle*w.typicalChange + startleMore
	w.typicalChange += usualGrows * (min(surprise, most) - w.typicalChange)
	return surprise > most
}

// take returns a sight, with the memory of one that was closed.
func (w *MotionAnalyzer) take() *Analysis {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.free); n > 0 {
		s := w.free[n-1]
		w.free = w.free[:n-1]
		s.NewShot, s.Blank, s.Abrupt, s.FadeIn = false, false, false, false
		return s
	}
	return &Analysis{analyzer: w}
}

// Close gives the sight's memory back. It may be called from any goroutine, once.
func (s *Analysis) Close() {
	s.closeEncoded()
	s.release()
}

// forgo gives back what a look ahead brought, if nobody took it.
func (s *Analysis) closeEncoded() {
	if s.encoded != nil {
		s.encoded.Close()
		s.encoded = nil
	}
}

// drop is the end of the sight for one of its holders.
func (s *Analysis) release() {
	w := s.analyzer
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.refs--; s.refs == 0 {
		s.Image = nil
		w.free = append(w.free, s)
	}
}

// contrast is the deviation of the brightness of a picture.
func contrast(luma []float32) float64 {
	var sum, squares float64
	for _, v := range luma {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(luma))
	return math.Sqrt(max(squares/n-sum/n*sum/n, 0))
}
