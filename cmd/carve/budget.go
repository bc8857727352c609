package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/carve-video/carve/internal/limits"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
	"github.com/dustin/go-humanize"
)

// defaultMemory is the bound without --max-memory, if a run fits into it: enough for 4K
// at full speed. The rest of the machine is for other programs.
const defaultMemory = 3 << 30

// A byteSize is an amount of memory, written as 2G, 512M or 1500MiB.
type byteSize int64

// Set implements pflag.Value.
func (b *byteSize) Set(s string) error {
	n, err := humanize.ParseBytes(s)
	if err != nil || n == 0 || n > math.MaxInt64 || strings.ContainsAny(s, "-+,") {
		return fmt.Errorf("%q is no size; write 2G, 512M or 1500MiB", s)
	}
	if n < 1e6 && !strings.ContainsFunc(s, unicode.IsLetter) {
		return fmt.Errorf("%q without a unit is a number of bytes; write 2G, 512M or 1500MiB", s)
	}
	*b = byteSize(n)
	return nil
}

// String and Type implement pflag.Value.
func (b *byteSize) String() string {
	if *b == 0 {
		return ""
	}
	for _, unit := range []struct {
		name string
		size byteSize
	}{{"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}} {
		if *b%unit.size == 0 {
			return fmt.Sprintf("%d%s", *b/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%dB", *b)
}
func (b *byteSize) Type() string { return "SIZE" }

// A budget bounds the memory that grows with the size of the frames: frames in flight,
// decoder, drawing and encoder. The models come on top; they do not grow.
//
// If not everything fits, these are reduced, in this order: frames in flight, down to
// those held back and one more; threads of decoder and encoder; the look-ahead of the
// encoder. None of that changes a mask. The look-ahead of the masks and the key frames,
// which would, are never reduced.
type budget struct {
	target    int64  // bytes to stay within if possible
	limit     int64  // bytes never to exceed; 0: no limit is known
	limitedBy string // the reason for the limit, such as "--max-memory is 2 GB"

	held       func(video.Rational) int // frames held back at a rate
	heldFlags  string                   // the reason, such as " with --lookahead 8f"
	queue      int                      // frames wanted in addition to those
	side       int                      // long side of the model's image; 0: that of the video
	labels     int
	draws      bool
	encoded    []*output
	sequences  int
	pictures   func(w, h, queries int) int64 // bytes that outputs keep; nil: none
	processors int
	restricted bool // processors is less than the machine has, which FFmpeg does not know

	plan     plan                      // the decision
	encoders map[string]video.Encoding // by path: threads and lookahead of the sink; where they are 0 the encoder decides
}

// newBudget returns a budget with its bounds; what the run does is filled in by the caller.
func newBudget(given byteSize) budget {
	b := budget{held: func(video.Rational) int { return 0 }}
	b.processors, _ = processCapacity().usableThreads()
	b.restricted = b.processors < runtime.NumCPU()
	if given > 0 {
		b.target, b.limit = int64(given), int64(given)
		b.limitedBy = "--max-memory is " + ui.SizeRoundedUp(int64(given))
		return b
	}
	b.target = defaultMemory
	if l := limits.Memory(); l.Known() {
		b.limit = l.N / 2
		b.limitedBy = fmt.Sprintf("half of what %s has is %s", l.By, ui.SizeRoundedUp(b.limit))
	}
	if l := limits.AddressSpace(); l.Known() {
		if left := max(l.N-mappedBase, 0) / 2; b.limit == 0 || left < b.limit {
			b.limit = max(left, 1)
			b.limitedBy = fmt.Sprintf("half of what %s leaves is %s", l.By, ui.SizeRoundedUp(b.limit))
		}
	}
	if b.limit > 0 {
		b.target = min(b.target, b.limit)
	}
	return b
}

// budget is the budget of carve segment, where the model sees images with a long side of
// at most side.
func (o *segmentOptions) budget(side, queries int) *budget {
	b := newBudget(o.maxMemory)
	b.held, b.heldFlags, b.queue = o.framesHeld, o.heldFlags(), video.DefaultFrames
	b.side, b.labels, b.draws = side, queries, true
	b.encoded = o.encoded()
	b.sequences, b.pictures = o.sequences(), o.pictures
	return &b
}

// A plan says how a budget is spent.
type plan struct {
	video.Coded
	frames    int
	threads   int // of the decoder
	encodings []plannedEncoding
	// sequences is the number of mask sequences.
	sequences int
	pictures  int64 // bytes

	side, labels int
	draws        bool
}

// A plannedEncoding is that of one output.
type plannedEncoding struct {
	path string
	video.Encoding
	encodes video.Coded // its frames
}

// total returns the bytes that the plan takes.
func (p *plan) total() int64 {
	return int64(p.frames)*p.frame() + p.Decoder(p.threads) + p.drawing() + p.encoder() + p.pictures
}

// frame returns the bytes of one frame in flight: the decoded pixels, the image that the
// model sees, and the objects found in it, each with its mask and its probabilities. More
// than a few objects at a time are rare.
func (p *plan) frame() int64 {
	w, h := int64(p.Width), int64(p.Height)
	if long := max(w, h); p.side > 0 && long > int64(p.side) {
		w, h = w*int64(p.side)/long, h*int64(p.side)/long
	}
	const (
		image      = 3 + 4 + 2 // RGB, the confidence of each pixel, labels
		object     = 1 + 4
		maxObjects = 4
	)
	return p.Picture() + w*h*(image+object*int64(min(p.labels, maxObjects)))
}

// drawing returns the bytes of masks at the resolution of the video, for the frame that
// is drawn and for the next one, and of luma, the canvas, and the copies that are drawn
// on.
func (p *plan) drawing() int64 {
	if !p.draws {
		return 0
	}
	const (
		maxObjects = 4
		canvas     = 4  // bytes per pixel
		sequence   = 16 // bytes per pixel and file: images in the making, and shaped masks
	)
	files := int64(p.sequences * min(p.labels, maxObjects))
	copies := int64(0)
	for i := range p.encodings {
		copies += p.encodings[i].encodes.Copies() + canvas*p.Pixels()
	}
	return copies + p.Pixels()*(1+2*int64(min(p.labels, maxObjects))+sequence*files)
}

// encoder returns the bytes of all encoders.
func (p *plan) encoder() (n int64) {
	for i := range p.encodings {
		n += p.encodings[i].Bytes(p.encodings[i].encodes)
	}
	return n
}

// String lists the plan part by part.
func (p *plan) String() string {
	mb := func(n int64) string { return fmt.Sprintf("%d MB", n/1e6) }
	s := fmt.Sprintf("%s in flight of %s, decoder %s", ui.Counted(p.frames, "frame"), mb(p.frame()), mb(p.Decoder(p.threads)))
	if p.draws {
		s += ", drawing " + mb(p.drawing())
	}
	for _, e := range p.encodings {
		s += fmt.Sprintf(", encoder %s (%s, %s ahead)", mb(e.Bytes(e.encodes)), ui.Counted(e.Threads, "thread"), ui.Counted(e.Lookahead, "frame"))
	}
	if p.pictures > 0 {
		s += ", pictures " + mb(p.pictures)
	}
	return s + ": " + mb(p.total())
}

// reduce makes one part smaller, and reports whether any part may be.
func (p *plan) reduce(least int) bool {
	switch {
	case p.frames > least:
		p.frames--
	case p.threads > 1 && p.Threaded():
		p.threads--
	case p.lower(1, func(e *plannedEncoding) *int { return &e.Threads }):
	case p.lower(video.LeastLookahead, func(e *plannedEncoding) *int { return &e.Lookahead }):
	default:
		return false
	}
	return true
}

// lower lowers a number of the encoders that have most of it, and reports whether any has more
// than least.
func (p *plan) lower(least int, number func(*plannedEncoding) *int) bool {
	most := least
	for i := range p.encodings {
		most = max(most, *number(&p.encodings[i]))
	}
	for i := range p.encodings {
		if n := number(&p.encodings[i]); *n == most && most > least {
			*n--
		}
	}
	return most > least
}

// errMemory is behind the error of a run that does not fit.
var errMemory = errors.New("not enough memory")

// afford decides how a video is decoded, held and encoded. It is [video.Source.Afford].
func (b *budget) afford(c video.Coded) (video.Means, error) {
	p := plan{Coded: c, sequences: b.sequences, threads: min(b.processors+1, 16), side: b.side, labels: b.labels, draws: b.draws}
	if b.processors == 1 {
		p.threads = 1
	}
	least := b.held(c.Rate) + 1 // the next frame releases those held back
	if c.Still {
		least = 1
	}
	p.frames = least
	if !c.Still && b.queue > 0 {
		p.frames += b.queue - 1
	}
	for _, s := range b.encoded {
		how, as := s.encoding(), s.coded(c)
		if how.pixels != "" {
			as = as.In(how.pixels)
		}
		if e, ok := video.PlanEncoding(s.Path, s.format(), how.Encoder, how.EncoderPreset, c.Still, b.processors); ok {
			p.encodings = append(p.encodings, plannedEncoding{s.Path, e, as})
		}
	}
	if b.pictures != nil {
		p.pictures = b.pictures(c.Width, c.Height, b.labels)
	}
	whole := p
	whole.encodings = slices.Clone(p.encodings)
	for p.total() > b.target && p.reduce(least) {
	}
	if b.limit > 0 && p.total() > b.limit {
		return video.Means{}, b.memoryError(&p)
	}
	b.plan = p
	means := video.Means{Frames: p.frames}
	if b.restricted || p.threads < whole.threads {
		means.Threads = p.threads
	}
	b.encoders = make(map[string]video.Encoding)
	for i, e := range p.encodings {
		var how video.Encoding
		if b.restricted || e.Threads < whole.encodings[i].Threads {
			how.Threads = e.Threads
		}
		if e.Lookahead < whole.encodings[i].Lookahead {
			how.Lookahead = e.Lookahead
		}
		b.encoders[e.path] = how
	}
	// If the frame size of a video grows midway, only the decoder needs more: frames are
	// scaled to the size of the first one.
	if per := p.Decoder(p.threads) / max(c.Pixels(), 1); per > 0 && b.limit > 0 {
		means.Pixels = min(c.Pixels()+(b.limit-p.total())/per, video.DefaultPixels)
	}
	return means, nil
}

// memoryError says how much memory a run would need.
func (b *budget) memoryError(p *plan) error {
	err := fmt.Errorf("%w: needs about %s for frames of %dx%d%s, and %s", errMemory, ui.SizeRoundedUp(p.total()), p.Width, p.Height, b.heldFlags, b.limitedBy)
	hint := "allow more with --max-memory"
	switch enough := p.total() - b.limit; {
	case int64(b.held(p.Rate))*p.frame() >= enough:
		hint += ", or hold fewer frames back with --lookahead or --batch"
	case p.x264() >= enough:
		hint += ", or use --encoder mpeg4, which needs little"
	default:
		hint += ", or scale the input down first"
	}
	return ui.WithHint(err, hint)
}

// x264 returns the bytes of encoders of the x264 library.
func (p *plan) x264() (n int64) {
	for i := range p.encodings {
		if e := &p.encodings[i]; strings.HasPrefix(e.Encoder, "libx264") {
			n += e.Bytes(e.encodes)
		}
	}
	return n
}

// heldFlags names the flags that make a run hold frames back, as part of a sentence.
func (o *runOptions) heldFlags() string {
	s := ""
	if !o.stateless() && o.lookahead != (tracking.Interval{}) {
		s = " with --lookahead " + o.lookahead.String()
	}
	if (o.stateless() || o.every == 1) && o.batch > 1 {
		s += fmt.Sprintf(" with --batch %d", o.batch)
	}
	return s
}
