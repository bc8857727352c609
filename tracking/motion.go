package tracking

import (
	"math"
	"sync"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// A MotionAnalyzer finds what does not depend on queries: how everything moved since the
// frame before, what the motion leaves unexplained, where a shot begins, and which frames
// are blank. It may run ahead of the Tracker. It is for one goroutine.
type MotionAnalyzer struct {
	// Threads bounds its goroutines; 0 stands for runtime.GOMAXPROCS.
	Threads int
	// Params tunes it; nil stands for [DefaultParams].
	Params *Params
	// SkipMotion skips optical flow, for callers that propagate nothing.
	SkipMotion bool

	last          *Analysis // of the frame before
	frame         int64
	typicalChange float32 // mean occluded share of the shot so far; negative: none yet
	flow          flow.Estimator

	mu   sync.Mutex
	free []*Analysis
}

// An Analysis is what a MotionAnalyzer found in one frame.
type Analysis struct {
	Moment
	Image *car.Image

	// NewShot says that nothing is propagated to this frame: it is the first, or the first
	// after a cut, a gap or a blank frame, or SkipMotion is set.
	NewShot bool
	// Blank says that the frame shows nothing: it has one colour.
	Blank bool
	// Motion leads back to the frame before. Its size is 0 if there is none.
	Motion flow.Field
	// Abrupt says that the motion leaves more unexplained than is usual in this shot:
	// something appeared, vanished or changed at once.
	Abrupt bool
	// FadeIn says that the frame gains contrast: objects that could not be seen before may
	// be visible now.
	FadeIn bool
	// Checkpoint asks for a [Step].Checkpoint, at this frame if it is a key frame, or else
	// at the next one. The caller sets it before the Tracker's Step.
	Checkpoint bool

	encoded   *car.EncodedImage // by a Prefetcher
	pyramid   flow.Pyramid
	histogram colourHistogram
	typical   float32 // typicalChange of the analyzer after this frame
	analyzer  *MotionAnalyzer
	w, h      int // of the image
	refs      int // holders that have not released it
}

// Analyze takes the next frame. at is its time. The image must not change until the
// Analysis is closed.
func (m *MotionAnalyzer) Analyze(img *car.Image, at time.Duration) *Analysis {
	a := m.take()
	a.Image, a.Moment = img, Moment{m.frame, at}
	a.w, a.h = img.W, img.H // the caller may have reused Image when the next frame comes
	m.frame++
	if m.SkipMotion {
		a.NewShot, a.refs = true, 1
		return a
	}
	p := m.Params.orDefault()
	a.pyramid.Build(img.Pix, img.W, img.H, threads(m.Threads))
	a.histogram.fill(img)
	a.Blank = contrast(a.pyramid.Luma()) < p.BlankContrast
	before := m.last
	a.NewShot = before == nil || before.Blank || at-before.Time > p.Gap || at < before.Time ||
		before.w != img.W || before.h != img.H
	if !a.NewShot {
		_, _, factor := flow.Size(img.W, img.H)
		m.flow.Threads = threads(m.Threads)
		m.flow.Between(&a.pyramid, &before.pyramid, factor, &a.Motion)
		// Colours that change all at once are a cut, unless the image is the same in another
		// light: a fade, a lamp.
		a.NewShot = before.histogram.distance(&a.histogram) > float32(p.CutHistogram) &&
			a.Motion.RelativeResidual > float32(p.CutResidual) && a.Motion.MeanResidual > float32(p.CutResidualLevel)
	}
	if a.NewShot {
		a.Motion.W, a.Motion.H = 0, 0
		m.typicalChange = -1
	} else {
		a.Abrupt = m.isAbrupt(a.Motion.OccludedShare, p)
		a.FadeIn = a.Motion.ContrastGain > float32(p.FadeInGain)
	}
	if before != nil {
		before.release()
	}
	a.typical = m.typicalChange
	m.last = a
	a.refs = 2 // the caller's, and that of the next frame
	return a
}

// isAbrupt tells whether the occluded share of a frame is unusual in this shot, and takes
// it into the mean. The first of a shot is the mean.
func (m *MotionAnalyzer) isAbrupt(occluded float32, p *Params) bool {
	if m.typicalChange < 0 {
		m.typicalChange = occluded
		return false
	}
	limit := float32(p.AbruptRatio)*m.typicalChange + float32(p.AbruptMargin)
	m.typicalChange += float32(p.ChangeRate) * (min(occluded, limit) - m.typicalChange)
	return occluded > limit
}

// take returns an Analysis, with the memory of one that was closed.
func (m *MotionAnalyzer) take() *Analysis {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.free); n > 0 {
		a := m.free[n-1]
		m.free = m.free[:n-1]
		a.NewShot, a.Blank, a.Abrupt, a.FadeIn, a.Checkpoint = false, false, false, false, false
		return a
	}
	return &Analysis{analyzer: m}
}

// Close gives the memory back. It may be called from any goroutine, once.
func (a *Analysis) Close() {
	a.closeEncoded()
	a.release()
}

// closeEncoded gives back what a Prefetcher encoded, if it was not used.
func (a *Analysis) closeEncoded() {
	if a.encoded != nil {
		a.encoded.Close()
		a.encoded = nil
	}
}

// release drops one reference. The last one frees the Analysis.
func (a *Analysis) release() {
	m := a.analyzer
	m.mu.Lock()
	defer m.mu.Unlock()
	if a.refs--; a.refs == 0 {
		a.Image = nil
		m.free = append(m.free, a)
	}
}

// contrast is the standard deviation of brightness.
func contrast(luma []float32) float64 {
	var sum, squares float64
	for _, v := range luma {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(luma))
	return math.Sqrt(max(squares/n-sum/n*sum/n, 0))
}
