package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"unicode"

	"github.com/carve-video/carve/internal/limits"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
	"github.com/dustin/go-humanize"
)

// usualMemory is what a run keeps to without --max-memory, if it can do with that: enough
// for 4K at full speed. The rest of the machine is for other programs.
const usualMemory = 3 << 30

// A byteSize is an amount of memory as people write it: 2G, 512M, 1500MiB.
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
	return ui.SizeRoundedUp(int64(*b))
}
func (b *byteSize) Type() string { return "SIZE" }

// A budget bounds the memory of what grows with the size of the picture: frames in
// flight, decoder, drawing and encoder. The models come on top, and do not.
//
// Where all of it does not fit, in this order: frames in flight become fewer, down to
// what is held back and one; decoder and encoder get fewer threads; the encoder looks
// less far ahead. None of that changes a mask. Look-ahead and key frames, which would,
// never give way.
type budget struct {
	comfort int64  // to be kept to if that is possible
	most    int64  // never to be exceeded; 0: nothing says
	says    string // what says so, as "--max-memory is 2 GB"

	held       func(video.Rational) int // frames held back at a rate
	why        string                   // why they are, as " with --lookahead 8f"
	queue      int                      // frames that it is good to have beside those
	side       int                      // long side of what the model sees; 0: that of the film
	labels     int
	draws      bool
	output     string // empty: nothing is encoded
	encoder    string // empty: the usual one
	preset     string
	processors int
	few        bool // they are not all that there are, which FFmpeg does not know

	spent                        plan // what was decided
	encoderThreads, encoderAhead int  // for the sink; 0 leaves it to the encoder
}

// newBudget is the budget of a run with these options; it says nothing yet of what the
// run does.
func newBudget(given byteSize) budget {
	b := budget{held: func(video.Rational) int { return 0 }}
	b.processors, _ = roomHere().most()
	b.few = b.processors < runtime.NumCPU()
	if given > 0 {
		b.comfort, b.most = int64(given), int64(given)
		b.says = "--max-memory is " + ui.SizeRoundedUp(int64(given))
		return b
	}
	b.comfort = usualMemory
	if l := limits.Memory(); l.Known() {
		b.most = l.N / 2
		b.says = fmt.Sprintf("half of what %s has is %s", l.By, ui.SizeRoundedUp(b.most))
	}
	if l := limits.AddressSpace(); l.Known() {
		if left := max(l.N-mappedBase, 0) / 2; b.most == 0 || left < b.most {
			b.most = max(left, 1)
			b.says = fmt.Sprintf("half of what %s leaves is %s", l.By, ui.SizeRoundedUp(b.most))
		}
	}
	if b.most > 0 {
		b.comfort = min(b.comfort, b.most)
	}
	return b
}

// budget is that of carve segment, with a picture of at most that long side for the
// model.
func (o *segmentOptions) budget(side, queries int) *budget {
	b := newBudget(o.maxMemory)
	b.held, b.why, b.queue = o.framesHeld, o.heldBy(), video.DefaultFrames
	b.side, b.labels, b.draws = side, queries, true
	b.output, b.encoder, b.preset = o.output, o.encoder, o.encoderPreset
	return &b
}

// A plan is how a budget is spent.
type plan struct {
	video.Coded
	frames   int
	threads  int // of the decoder
	encoding video.Encoding

	side, labels int
	draws        bool
}

// total is how many bytes the plan takes.
func (p *plan) total() int64 {
	return int64(p.frames)*p.frame() + p.Decoder(p.threads) + p.drawing() + p.encoder()
}

// frame is what one frame in flight holds: the picture as it was decoded; what the
// model sees of it; and what was found in it, which is hardly ever more than a few
// things at a time, each with its mask and its probabilities.
func (p *plan) frame() int64 {
	w, h := int64(p.Width), int64(p.Height)
	if long := max(w, h); p.side > 0 && long > int64(p.side) {
		w, h = w*int64(p.side)/long, h*int64(p.side)/long
	}
	const (
		seen  = 3 + 4 + 2 // the picture, how sure each pixel is, labels
		thing = 1 + 4
		most  = 4
	)
	return p.Picture() + w*h*(seen+thing*int64(min(p.labels, most)))
}

// drawing is what masks at the size of the film take, those of the frame that is drawn
// and those that are made meanwhile; brightness, the canvas, and the copies that are
// drawn on.
func (p *plan) drawing() int64 {
	if !p.draws {
		return 0
	}
	const most = 4
	return p.Copies() + p.Pixels()*(1+2*int64(min(p.labels, most))+4)
}

func (p *plan) encoder() int64 {
	if p.encoding.Encoder == "" {
		return 0
	}
	return p.encoding.Bytes(p.Coded)
}

// String says it in figures, part by part.
func (p *plan) String() string {
	mb := func(n int64) string { return fmt.Sprintf("%d MB", n/1e6) }
	s := fmt.Sprintf("%s in flight of %s, decoder %s", ui.Counted(p.frames, "frame"), mb(p.frame()), mb(p.Decoder(p.threads)))
	if p.draws {
		s += ", drawing " + mb(p.drawing())
	}
	if e := p.encoding; e.Encoder != "" {
		s += fmt.Sprintf(", encoder %s (%s, %s ahead)", mb(p.encoder()), ui.Counted(e.Threads, "thread"), ui.Counted(e.Lookahead, "frame"))
	}
	return s + ": " + mb(p.total())
}

// give makes something smaller, if there is anything that may be.
func (p *plan) give(least int) bool {
	switch e := &p.encoding; {
	case p.frames > least:
		p.frames--
	case p.threads > 1 && p.Threaded():
		p.threads--
	case e.Encoder != "" && e.Threads > 1:
		e.Threads--
	case e.Encoder != "" && e.Lookahead > video.LeastLookahead:
		e.Lookahead--
	default:
		return false
	}
	return true
}

// errMemory is behind the error of a run that does not fit.
var errMemory = errors.New("not enough memory")

// afford decides how a video is decoded, held and encoded. It is [video.Source.Afford].
func (b *budget) afford(c video.Coded) (video.Means, error) {
	p := plan{Coded: c, threads: min(b.processors+1, 16), side: b.side, labels: b.labels, draws: b.draws}
	if b.processors == 1 {
		p.threads = 1
	}
	least := b.held(c.Rate) + 1 // the one that lets those go on
	if c.Still {
		least = 1
	}
	p.frames = least
	if !c.Still && b.queue > 0 {
		p.frames += b.queue - 1
	}
	if b.output != "" {
		p.encoding, _ = video.PlanEncoding(b.output, b.encoder, b.preset, c.Still, b.processors)
	}
	whole := p
	for p.total() > b.comfort && p.give(least) {
	}
	if b.most > 0 && p.total() > b.most {
		return video.Means{}, b.tooLarge(&p)
	}
	b.spent = p
	means := video.Means{Frames: p.frames}
	if b.few || p.threads < whole.threads {
		means.Threads = p.threads
	}
	if b.few || p.encoding.Threads < whole.encoding.Threads {
		b.encoderThreads = p.encoding.Threads
	}
	if p.encoding.Lookahead < whole.encoding.Lookahead {
		b.encoderAhead = p.encoding.Lookahead
	}
	// Pictures that grow on the way grow in the decoder alone: they are brought to the
	// size of the first one.
	if per := p.Decoder(p.threads) / max(c.Pixels(), 1); per > 0 && b.most > 0 {
		means.Pixels = min(c.Pixels()+(b.most-p.total())/per, video.DefaultPixels)
	}
	return means, nil
}

// tooLarge says what a run would need.
func (b *budget) tooLarge(p *plan) error {
	err := fmt.Errorf("%w: needs about %s for frames of %dx%d%s, and %s", errMemory, ui.SizeRoundedUp(p.total()), p.Width, p.Height, b.why, b.says)
	hint := "allow more with --max-memory"
	switch enough := p.total() - b.most; {
	case int64(b.held(p.Rate))*p.frame() >= enough:
		hint += ", or hold fewer frames back with --lookahead or --batch"
	case strings.HasPrefix(p.encoding.Encoder, "libx264") && p.encoder() >= enough:
		hint += ", or take --encoder mpeg4, which needs little"
	default:
		hint += ", or make the pictures smaller first"
	}
	return ui.WithHint(err, hint)
}

// heldBy says what makes a run hold frames back, as a part of a sentence.
func (o *runOptions) heldBy() string {
	s := ""
	if !o.stateless() && o.lookahead != (tracking.Interval{}) {
		s = " with --lookahead " + o.lookahead.String()
	}
	if (o.stateless() || o.every == 1) && o.batch > 1 {
		s += fmt.Sprintf(" with --batch %d", o.batch)
	}
	return s
}
