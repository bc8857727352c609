package video

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"
)

// A MatteMaker makes the frames of a matte: of a frame of the source and a mask, a frame
// in another pixel format. If that has alpha, the new frame shows the source's pixels,
// and the mask is its alpha; alpha that the source has itself is multiplied by the mask.
// Otherwise the frame shows the mask alone, from black to white.
//
// Give [MatteMaker.Info] to the [Sink] as its FrameInfo. A maker is used by one goroutine
// at a time.
type MatteMaker struct {
	// Source describes the frames that masks belong to.
	Source Info
	// Format is that of the new frames.
	Format MatteFormat
	// Threads bounds the goroutines of work on pixels; 0 means 1.
	Threads int

	info  Info
	chain string // filters from a frame of the source to one of the matte
	graph graph
	pool  *pool
	shape *astiav.Frame // has the size and the format, and no samples
	fill  matteFill
}

// matteFrames is how many frames of a maker may be in use at a time.
const matteFrames = 2

// Values of ITU-T H.273, and FFmpeg's numbers of ranges.
const (
	matrixRGB, matrixBT709, matrixUnknown, matrixBT470BG, matrixSMPTE170M, matrixBT2020 = 0, 1, 2, 5, 6, 9
	rangeLimited, rangeFull                                                             = 1, 2
	curveUnknown, primariesUnknown                                                      = 2, 2
)

// lumaMatte is the colour description of a matte that is stored as luma. It is that of
// ordinary video, whatever the source has: a program that turned the mask from another
// curve into its own would change it.
var lumaMatte = colour{matrix: matrixBT709, colourRange: rangeLimited, primaries: 1, transfer: 1, chroma: 1}

// Initialize plans the conversion.
func (m *MatteMaker) Initialize() error {
	fail := func(err error) error {
		m.Close()
		return fmt.Errorf("making frames in %s: %w", m.Format.Pixels, err)
	}
	format := astiav.FindPixelFormatByName(m.Format.Pixels)
	to, ok := describe(format)
	if !ok || !to.drawable() || !to.showsMask() {
		return fail(errors.New("it is no pixel format of mattes"))
	}
	if m.Format.Premultiplied && (!to.Alpha || len(to.Components) < 4 || to.ChromaX+to.ChromaY > 0) {
		return fail(errors.New("pixels without alpha or colours, or with subsampled ones, cannot be premultiplied"))
	}
	m.info = m.Source
	m.info.format, m.info.PixelFormat, m.info.BitDepth = format, to.Name, to.Components[0].Depth
	m.info.maskOnly = !to.Alpha
	m.info.alphaMode = Straight
	if m.Format.Premultiplied {
		m.info.alphaMode = Premultiplied
	}
	m.planColour(to)
	m.setColourNames()
	m.fill = newMatteFill(to, m.info.colour.colourRange != rangeFull, m.Format.Premultiplied, hasAlpha(m.Source.format), m.Threads)
	var err error
	if m.shape, err = shapedFrame(m.info); err != nil {
		return fail(err)
	}
	m.pool = newPool(matteFrames)
	return nil
}

// planColour chooses the colour description of the new frames, and the conversion.
func (m *MatteMaker) planColour(to Layout) {
	from, _ := describe(m.Source.format)
	c := &m.info.colour
	switch {
	case !to.Alpha && len(to.Components) == 1:
		*c = colour{matrix: matrixUnknown, colourRange: rangeFull, primaries: primariesUnknown, transfer: curveUnknown}
		return
	case !to.Alpha:
		*c = lumaMatte
		return
	}
	fromFull := m.Source.fullRange()
	scale := "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp:interl=-1"
	if !from.RGB {
		scale += ":in_range=" + rangeWord(fromFull)
	}
	toFull := fromFull
	switch {
	case to.RGB:
		c.matrix, toFull = matrixRGB, true
		scale += ":in_color_matrix=" + m.Source.scaleMatrix()
	case from.RGB:
		c.matrix, toFull = matrixBT709, false
		scale += ":out_color_matrix=bt709"
	case m.Format.Encoder == "prores_ks":
		// Readers of ProRes take it for limited range, whatever the container says.
		toFull = false
		if c.matrix == matrixBT470BG {
			c.matrix = matrixSMPTE170M // the same coefficients under the name that ProRes has
		}
	}
	scale += chromaPlaces("in", from, m.Source.colour.chroma)
	if to.subsampled() {
		c.chroma = cmp.Or(c.chroma, chromaLeft)
		scale += chromaPlaces("out", to, c.chroma)
	} else {
		c.chroma = 0
	}
	if m.Format.Encoder == "prores_ks" {
		c.complete()
	}
	c.colourRange = rangeLimited
	if toFull {
		c.colourRange = rangeFull
	}
	if !to.RGB {
		scale += ":out_range=" + rangeWord(toFull)
	}
	if m.info.format == m.Source.format && toFull == fromFull {
		return // samples are copied
	}
	m.chain = scale + ",format=" + to.Name
}

// complete sets primaries and curve to those that go with the matrix, if they are not
// known. A QuickTime file has a place for all three together. Without them, players
// guess the matrix of ProRes from the size of the frame.
func (c *colour) complete() {
	switch c.matrix {
	case matrixBT709:
		c.primaries = known(c.primaries, 1)
	case matrixSMPTE170M:
		c.primaries = known(c.primaries, 6)
	case matrixBT2020:
		c.primaries = known(c.primaries, 9)
	default:
		return
	}
	c.transfer = known(c.transfer, 1) // one function under several names
}

// known returns a value of H.273, or another one if it stands for "unspecified".
func known(value, otherwise int) int {
	if value == 0 || value == primariesUnknown {
		return otherwise
	}
	return value
}

// chromaLeft is the place of chroma samples in nearly all video, FFmpeg's number.
const chromaLeft = 1

// chromaPlaces tells the scale filter where the chroma samples of a format are: between
// luma samples or on them. It would otherwise take them to be in the middle, and move
// the colours by half a pixel. Places are in 1/256 of a luma sample.
func chromaPlaces(side string, l Layout, place int) (options string) {
	if !l.subsampled() {
		return ""
	}
	x, y := 0, 128
	switch place { // left is the default
	case 2: // center
		x = 128
	case 3: // top left
		y = 0
	case 4: // top
		x, y = 128, 0
	case 5: // bottom left
		y = 256
	case 6: // bottom
		x, y = 128, 256
	}
	if l.ChromaX > 0 {
		options = fmt.Sprintf(":%s_h_chr_pos=%d", side, x)
	}
	if l.ChromaY > 0 {
		options += fmt.Sprintf(":%s_v_chr_pos=%d", side, y)
	}
	return options
}

// subsampled reports whether there are fewer samples of chroma than of luma.
func (l Layout) subsampled() bool { return !l.RGB && l.ChromaX+l.ChromaY > 0 }

func rangeWord(full bool) string {
	if full {
		return "pc"
	}
	return "tv"
}

// fullRange reports whether the samples use all values.
func (i Info) fullRange() bool {
	l, _ := describe(i.format)
	return l.RGB || i.colour.colourRange == rangeFull || strings.HasPrefix(l.Name, "yuvj")
}

// setColourNames describes the colour as [Source] does.
func (m *MatteMaker) setColourNames() {
	c, i := m.info.colour, &m.info
	i.ColourMatrix, i.ColourRange, i.ColourPrimaries, i.ColourCurve, i.ChromaLocation =
		c.matrixName(), c.rangeName(), c.primariesName(), c.transferName(), c.chromaName()
}

// Info describes the new frames. Times, size, rotation and tags are those of the source.
func (m *MatteMaker) Info() Info { return m.info }

// Make makes the frame of a matte. The mask has one byte per pixel of the coded frame.
// The caller still owns f, and releases the new frame before it makes one more.
func (m *MatteMaker) Make(f *Frame, mask []uint8) (*Frame, error) {
	if want := m.info.Width * m.info.Height; len(mask) != want {
		return nil, fmt.Errorf("frame %d: the mask has %d pixels, not %d", f.Index, len(mask), want)
	}
	s, err := m.pool.get(context.Background(), false)
	if err != nil {
		return nil, err
	}
	if err := m.draw(s, f.slot.frame(), mask); err != nil {
		m.pool.put(s)
		return nil, fmt.Errorf("making frame %d of a matte: %w", f.Index, err)
	}
	return &Frame{Index: f.Index, PTS: f.PTS, Duration: f.Duration, TimeBase: f.TimeBase, slot: s}, nil
}

// draw makes the samples.
func (m *MatteMaker) draw(s *slot, in *astiav.Frame, mask []uint8) error {
	if m.chain != "" {
		if err := m.graph.fit(shapeOf(in), m.chain); err != nil {
			return err
		}
		if err := m.graph.run(in, s.decoded); err != nil {
			return err
		}
		if err := s.detach(); err != nil {
			return err
		}
	} else if err := m.copySamples(s, in); err != nil {
		return err
	}
	out := s.frame()
	setFrameColour(out, m.info.colour)
	var planes [4]Plane
	d := m.fill.layout
	for i := range planes {
		planes[i].Data, planes[i].Stride = framePlane(out, i, d.rows(i, m.info.Height))
	}
	m.fill.draw(planes[:], mask, m.info.Width, m.info.Height)
	return nil
}

// copySamples makes a frame with the samples of in, or one for a mask alone, whose
// samples are still to be set. Such a frame has none of the source's side data: captions
// are not of a mask, and light levels would make it something else than grey.
func (m *MatteMaker) copySamples(s *slot, in *astiav.Frame) error {
	o, err := m.pool.blank(m.shape)
	if err != nil {
		return err
	}
	s.own = o // put gives it back to the pool
	if m.info.maskOnly {
		frameSetFields(o, in)
		return nil
	}
	if err := in.Copy(o); err != nil {
		return fmt.Errorf("copying a frame of %dx%d: %w", m.info.Width, m.info.Height, err)
	}
	return frameCopyProperties(o, in)
}

// Close frees what the maker holds. Frames in use live until they are released.
func (m *MatteMaker) Close() {
	if m.pool != nil {
		m.pool.close()
		m.pool = nil
	}
	if m.shape != nil {
		m.shape.Free()
		m.shape = nil
	}
	m.graph.close()
}
