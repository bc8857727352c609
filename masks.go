package carve

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/maskmanifest"
	"github.com/carve-video/carve/internal/pathpattern"
	"github.com/carve-video/carve/internal/timecode"
)

// A Split says what has files of its own.
type Split string

// What [Masks] can split. The empty text is SplitNone.
const (
	SplitNone     Split = "none"     // one file a frame
	SplitConcept  Split = "concept"  // one file a frame for each query
	SplitInstance Split = "instance" // one file a frame for each instance
)

// StartSource is the [Masks.Start] that numbers files like those of the source.
const StartSource = "source"

// Masks writes a mask sequence: an image for every frame, or one for every frame and
// concept or instance. Images are upright, as players and editors show the source, and
// as large as the coded frame. Pixels that are not square stay so.
//
// Without a split, images are indexed PNGs with the DAVIS palette. The value of a pixel
// is the number of a concept among those that are written, in the order in which they
// were set, or of an instance, in the order in which they appeared; 0 is none. Where soft masks overlap,
// the stronger one has the pixel. With a split, images are grey, and the value is how
// much of the pixel is inside. The soft masks of a concept's instances are added up.
//
// A sequence has no holes: where a concept or an instance is not visible, its image is
// empty. One that appears late gets empty images for all earlier frames, before its
// first mask is written.
//
// It is a series: each file is whole when it is there, and stays after an error. The
// manifest concepts.json is written last. It says what all files are.
type Masks struct {
	// Path is where files go. One with %06d or {frame} is a pattern, see below; any other
	// is a folder, with the files %06d.png, {concept}/%06d.png or
	// {concept}/{instance}/%06d.png. The folder is made, but not its parent.
	//
	// A pattern may have %d or %06d for the number of the frame, {frame}, {concept},
	// {instance}, {pts} (in ticks of the source's time base), {timecode}, and {name}, the
	// input's base name without its extension. Characters that some file system does not
	// take become "_". Names of concepts that would be the same get a number: "dog-2".
	Path string
	// Split says what has files of its own.
	Split Split
	// Instances gives each instance a number of its own where nothing is split. When all
	// numbers are in use, a new instance gets that of the one that was seen longest ago.
	Instances bool
	// Format is "png" or "tiff"; empty stands for the extension of Path, or else for PNG.
	Format string
	// Bits are those of a grey pixel: 8, also if it is 0, or 16, where the value is 257
	// times that of 8 bits.
	Bits int
	// Start is the number of the file for the first frame of the source; empty is 0.
	// [StartSource] takes it from the source's path: shot.1001.exr begins with 1001.
	Start string
	// Concepts are the labels of the queries that are written; none stands for all, also
	// for those that are set later.
	Concepts []string
	// Shaping changes masks before they are written; nil leaves them as they are.
	Shaping *Shaping
	// Overwrite allows a folder that holds files, or files that fit the pattern. Those of
	// an earlier sequence that its manifest lists are removed when the first frame comes.
	// All others stay, unless this sequence has a file of that name.
	Overwrite bool
	// Protect names files that are never replaced, and folders whose files are not.
	Protect []string

	series   *atomicfile.Series
	pattern  pathpattern.Pattern // of the files in the folder
	format   imageFormat
	stream   *Stream
	code     timecode.Code
	begun    bool
	restored bool  // it goes on with the state of another run
	start    int64 // number of the file for frame 0 of the source
	first    int64 // index of the first frame
	pts      []int64
	written  int // frames whose files are all there

	only     queryIDs // of the queries that are written
	names    pathpattern.Names
	concepts []*maskConcept
	numbered []*maskInstance // instances that have the numbers 1, 2, …
	files    []*maskFiles
	encoders []*maskEncoder
	labels   []uint8 // of the frame at hand, as coded
	best     []uint8
	shaper   *maskShaper // of images that are not split
	palette  color.Palette
}

// A maskConcept is a query in a mask sequence.
type maskConcept struct {
	maskmanifest.Concept
	name      string // in paths
	files     *maskFiles
	instances []*maskInstance
	visible   bool // in the frame at hand
}

// A maskInstance is an instance of it.
type maskInstance struct {
	maskmanifest.Instance
	files   *maskFiles
	concept int  // ID
	visible bool // in the frame at hand
	last    int  // the last image whose frame it was in
}

// maskFiles are one sequence of files.
type maskFiles struct {
	pattern pathpattern.Pattern
	masks   [][]uint8 // of the frame at hand
	visible bool      // shaping has left some of them
}

// Traits implements [Traited].
func (m *Masks) Traits() Traits { return Traits{Name: "masks"} }

// Paths implements [FileSink] with the manifest: one folder is for one sequence.
func (m *Masks) Paths() []string {
	p, _, err := m.parse()
	if err != nil {
		return nil // Open reports it
	}
	dir, _, err := p.Cut()
	if err != nil || p.Has(pathpattern.Name) { // the name of the input is not known yet
		return nil
	}
	return []string{filepath.Join(dir, maskmanifest.File)}
}

// extensions are those of images, and the formats that can be written.
var extensions = map[string]string{".png": "png", ".tif": "tiff", ".tiff": "tiff",
	".jpg": "", ".jpeg": "", ".exr": "", ".bmp": "", ".webp": "", ".dpx": "", ".tga": ""}

// parse returns the pattern of the files. folder says that Path is a folder.
func (m *Masks) parse() (p pathpattern.Pattern, folder bool, err error) {
	if m.Path == "" {
		return p, false, errors.New("the path is empty")
	}
	if p, err = pathpattern.Parse(m.Path); err != nil || p.Has(pathpattern.Frame) {
		return p, false, err
	}
	if _, image := extensions[p.Ext()]; image || p.Has(pathpattern.PTS) || p.Has(pathpattern.Timecode) {
		return p, false, fmt.Errorf("%s: it has no number of the frame, such as %%06d", m.Path)
	}
	file := "%06d.png"
	if m.Format == "tiff" {
		file = "%06d.tif"
	}
	if m.split() == SplitInstance && !p.Has(pathpattern.Instance) {
		file = "{instance}/" + file
	}
	if m.split() != SplitNone && !p.Has(pathpattern.Concept) {
		file = "{concept}/" + file
	}
	sub, err := pathpattern.Parse(file)
	return p.Join(sub), true, err
}

func (m *Masks) split() Split {
	if m.Split == "" {
		return SplitNone
	}
	return m.Split
}

// check looks at the options and the pattern.
func (m *Masks) check(p pathpattern.Pattern) error {
	format, known := extensions[p.Ext()]
	if m.Format != "" && (known && m.Format != format || m.Format != "png" && m.Format != "tiff") {
		return fmt.Errorf("%s: the format is %s; files are .png or, if it is tiff, .tif", m.Path, m.Format)
	}
	if format == "" {
		return fmt.Errorf("%s: the extension of mask files is .png, .tif or .tiff", m.Path)
	}
	m.format = imageFormat{bits: m.Bits, tiff: format == "tiff", indexed: m.split() == SplitNone}
	if m.Bits == 0 {
		m.format.bits = 8
	}
	concept := p.Has(pathpattern.Concept) || len(m.Concepts) == 1
	switch {
	case !slices.Contains([]Split{SplitNone, SplitConcept, SplitInstance}, m.split()):
		return fmt.Errorf("split is %q; it can be none, concept or instance", m.Split)
	case m.format.bits != 8 && m.format.bits != 16:
		return fmt.Errorf("a pixel has %d bits; it can have 8 or 16", m.Bits)
	case m.format.indexed && (m.format.bits != 8 || m.format.tiff):
		return errors.New("numbers of concepts are written as PNG with 8 bits; split them for TIFF or 16 bits")
	case m.Instances && !m.format.indexed:
		return errors.New("instances are numbered only in files that are not split")
	case m.format.indexed && m.Shaping != nil && m.Shaping.Invert:
		return errors.New("numbers of concepts cannot be inverted; split them")
	case m.split() == SplitNone && (p.Has(pathpattern.Concept) || p.Has(pathpattern.Instance)):
		return fmt.Errorf("%s: a file has all concepts unless they are split", m.Path)
	case m.split() != SplitInstance && p.Has(pathpattern.Instance):
		return fmt.Errorf("%s: a file has all instances of a concept unless they are split", m.Path)
	case m.split() != SplitNone && !concept:
		return fmt.Errorf("%s: it has no {concept}, and there is a file for each", m.Path)
	case m.split() == SplitInstance && !p.Has(pathpattern.Instance):
		return fmt.Errorf("%s: it has no {instance}, and there is a file for each", m.Path)
	}
	return p.Check()
}

// Check finds what is wrong with the options alone, before there is a source.
func (m *Masks) Check() error {
	p, _, err := m.parse()
	if err != nil {
		return err
	}
	if m.Shaping != nil {
		if err := m.Shaping.Check(); err != nil {
			return err
		}
	}
	if m.Start != "" && m.Start != StartSource {
		if _, err := startNumber(m.Start, ""); err != nil {
			return err
		}
	}
	return m.check(p.Fill(pathpattern.Name, "name"))
}

// CheckSource reports that the path of a source has no number, if the sequence is to begin
// with it.
func (m *Masks) CheckSource(path string) error {
	if m.Start != StartSource || isPattern(path) {
		return nil // that a pattern has no files is found when it is opened
	}
	_, err := sourceNumber(path)
	return err
}

// Open checks the options, makes the folder and looks at what is in it.
func (m *Masks) Open(_ context.Context, s *Stream) error {
	p, folder, err := m.parse()
	if err != nil {
		return err
	}
	input := filepath.Base(s.Info.Path)
	p = p.Fill(pathpattern.Name, strings.TrimSuffix(input, filepath.Ext(input)))
	if err := m.check(p); err != nil {
		return err
	}
	m.stream = s
	if m.start, err = startNumber(m.Start, s.Info.Path); err != nil {
		return err
	}
	rate := s.Info.Rate()
	m.code, err = timecode.Parse(s.Info.Timecode, int64(rate.Num), int64(rate.Den))
	if err != nil && p.Has(pathpattern.Timecode) {
		return fmt.Errorf("%s: %w", m.Path, err)
	}
	if m.only, err = chooseQueries(m.Concepts, s.Queries); err != nil {
		return err
	}
	dir, rest, err := p.Cut()
	if err != nil {
		return err
	}
	m.pattern = rest
	m.series, err = atomicfile.OpenSeries(dir, maskmanifest.File, atomicfile.Options{Overwrite: m.Overwrite, Inputs: m.inputs()})
	if err != nil {
		return err
	}
	if err := m.checkFree(dir, folder); err != nil {
		return err
	}
	return m.prepareFiles()
}

// Try reports the error that Open would return, and leaves nothing behind.
func (m *Masks) Try(ctx context.Context, s *Stream) error {
	err := m.Open(ctx, s)
	m.Abort()
	return errors.Join(err, m.Close())
}

// inputs are the files that are never replaced.
func (m *Masks) inputs() []string {
	inputs := append([]string{m.stream.Info.Path}, m.Protect...)
	dir, files, _ := numberedFiles(m.stream.Info.Path)
	for _, f := range files {
		inputs = append(inputs, filepath.Join(dir, filepath.FromSlash(f)))
	}
	return inputs
}

// checkFree returns an error if there are files that the sequence may not replace.
func (m *Masks) checkFree(dir string, folder bool) error {
	if m.Overwrite {
		return nil
	}
	held := ""
	var err error
	if folder {
		held, err = m.series.Holds()
	} else {
		var files []string
		if files, _, err = m.pattern.Find(m.series.FS()); len(files) > 0 {
			held = files[0]
		}
	}
	if err == nil && held != "" {
		return &atomicfile.Error{Path: filepath.Join(dir, filepath.FromSlash(held)), Err: atomicfile.ErrExists}
	}
	return err
}

// Prepare brings the files and the manifest to the disk.
func (m *Masks) Prepare() error {
	if err := m.begin(); err != nil {
		return err
	}
	manifest, err := m.manifest().Marshal()
	if err != nil {
		return err
	}
	return m.series.Prepare(manifest)
}

// Commit gives the manifest its name.
func (m *Masks) Commit() error { return m.series.Commit() }

// Abort removes the manifest. Files that are whole stay, and concepts.incomplete.json says
// which these are, so that a later run with Overwrite removes them.
func (m *Masks) Abort() {
	if m.series == nil {
		return
	}
	if len(m.pts) > 0 {
		if manifest, err := m.manifest().Marshal(); err == nil {
			_ = m.series.WriteFile(maskmanifest.Incomplete, manifest) // the run has an error already
		}
	}
	m.series.Abort()
}

// Close ends the use of the folder.
func (m *Masks) Close() error {
	if m.series != nil {
		m.series.Close()
	}
	return nil
}
