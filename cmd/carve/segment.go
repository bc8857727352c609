package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

func runSegment(args []string, stdout, stderr io.Writer) error {
	var o segmentOptions
	fs := newSegmentFlags(&o)
	if err := parse(fs, args, segmentHelp, stdout); err != nil {
		return err
	}
	if err := o.check(fs.Args()); err != nil {
		return err
	}
	summary, err := segment(&o, stdout, stderr)
	if summary != nil {
		summary.print(&o, stdout, stderr)
	}
	return err
}

// segment does what the options say. Everything that can be known to be wrong
// is looked at before the first frame is worked on: the words, the input, the
// models, the output, in this order, because that is how dear they are. A
// summary is returned when a file was written.
func segment(o *segmentOptions, stdout, stderr io.Writer) (*summary, error) {
	log := newLog(o, stderr)
	video.SetLog(log)
	defer video.SetLog(nil)

	queries, err := o.readQueries()
	if err != nil {
		return nil, err
	}
	colours, err := queryColours(queries)
	if err != nil {
		return nil, err
	}
	preset, err := o.presetFor()
	if err != nil {
		return nil, err
	}
	if err := o.planOutputs(log, o.overwrite); err != nil {
		return nil, err
	}

	if err := o.settleThreads(roomHere(), log); err != nil {
		return nil, err
	}
	budget := o.budget(o.side(preset, o.device), len(queries))
	src := &video.Source{Path: o.input, Strict: o.strict, Log: log, Afford: budget.afford,
		AllowPlaylists: o.allowPlaylists}
	if err := src.Initialize(); err != nil {
		return nil, inputError(err)
	}
	defer src.Close()
	log.Debug("memory: " + budget.spent.String())
	overwrite := o.overwrite
	if src.Info().Playlist {
		// What it names is read by this run, and is not known beforehand.
		overwrite = false
		if err := o.planOutputs(log, overwrite); err != nil {
			return nil, withHint(err, playlistHint)
		}
	}

	if err := video.CheckOutput(o.output, o.encoder, src.Info()); err != nil {
		return nil, outputError(err)
	}
	m, err := openModels(o, queries, preset, stderr, log)
	if err != nil {
		return nil, err
	}
	defer m.close()

	// A pipe without a reader is waited for while Ctrl-C still ends the process by
	// itself: later it would only ask for an end.
	for _, path := range []string{o.output, o.explain} {
		release, err := atomicfile.AwaitReader(path)
		if err != nil {
			return nil, pathError(err)
		}
		defer release()
	}
	// Signals are taken over only now: ONNX Runtime's CUDA provider replaces
	// the handlers that stood before its sessions were made. Before this, nothing
	// is there yet that would be left behind.
	ctx, stop, release := handleSignals(log, src.Interrupt)
	defer release()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	sink := &video.Sink{Path: o.output, Source: src, Encoder: o.encoder, CRF: o.crf, Lossless: o.crf == 0,
		Preset: o.encoderPreset, Threads: budget.encoderThreads, Lookahead: budget.encoderAhead,
		Overwrite: overwrite, Protect: o.inputs(), Log: log}
	if err := sink.Initialize(); err != nil {
		return nil, outputError(err)
	}
	defer sink.Abort()

	session := o.session(m.segmenter, queries, o.lookaheadFrames(budget.spent.Rate))
	if err := session.Initialize(ctx); err != nil {
		return nil, textError(err)
	}
	explain, err := openExplanation(o, overwrite, fail)
	if err != nil {
		return nil, err
	}
	defer explain.abort()
	var questions questionnaire
	session.Tracker.Explain = func(x *tracking.Explanation) {
		questions.count(x)
		explain.tell(x)
	}
	prep := &video.Preparer{Source: src, MaxSide: o.side(preset, m.device)}
	if err := prep.Initialize(); err != nil {
		return nil, fmt.Errorf("preparing frames of %s: %w", o.input, err)
	}
	defer prep.Close()
	painter, err := newPainter(src.Info(), preset.Overlap, o.threads)
	if err != nil {
		return nil, fmt.Errorf("drawing on frames of %s: %w", o.input, err)
	}

	p := &pipeline{
		source: src, sink: sink, prep: prep, session: session, looker: o.looker(session, m.device, budget.spent.frames-session.Carrier.Lookahead), painter: painter, colours: colours,
		progress: newProgress(o.progressMode(), src.Info().Frames, stdout, stderr),
		stop:     stop, observe: o.observe, limit: o.limit,
	}
	defer keepHeapSmall()()
	began := time.Now()
	err = p.run(ctx)
	last := p.progress.done()
	if err == nil && p.stopped && sink.Frames() == 0 {
		err = context.Canceled
	}
	if err == nil {
		err = context.Cause(ctx) // whoever stops a run at its last frame wants no file either
	}
	if err == nil {
		err = commitAll(sink, explain)
	}
	if err != nil {
		var damage *video.DamageError
		switch {
		case errors.Is(err, context.Canceled):
			return nil, interruptedError{}
		case errors.As(err, &damage):
			return nil, withHint(fmt.Errorf("reading %s: %w", o.input, err), "without --strict damaged frames are skipped and counted")
		}
		return nil, fmt.Errorf("segmenting %s: %w", o.input, err)
	}
	if o.verbose && !o.quiet && o.logFormat != "json" { // the summary has it as JSON
		p.line.print(stderr)
	}
	s := &summary{
		Output: o.output, Frames: sink.Frames(), Duration: (last.At - p.start).Seconds(),
		Elapsed: time.Since(began).Seconds(), KeyFrames: questions.keys, Concepts: p.concepts(queries, &questions),
	}
	s.addStages(p.line)
	return s, s.outcome(o, p, src, sink, last)
}

// keepHeapSmall has the garbage collected when the heap has grown by a tenth, and
// not only when it has doubled: frames use the memory of those before, so that there
// is next to nothing to collect, and a heap that doubles once an hour looks like a
// leak. Who sets GOGC knows better. What it returns undoes it.
func keepHeapSmall() (undo func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(10)
	return func() { debug.SetGCPercent(before) }
}

// maxQueryFlags is how many -q there may be: more are easier kept in a file.
const maxQueryFlags = 64

// readQueries collects the queries of the command line and of the file.
func (o *segmentOptions) readQueries() ([]car.Query, error) {
	var queries []car.Query
	if n := len(o.queries); n > maxQueryFlags {
		return nil, withHint(usagef("-q is given %d times; %d at most", n, maxQueryFlags),
			fmt.Sprintf("write them into a file, one a line, up to %d, and name it with --queries", car.MaxQueryLines))
	}
	for _, s := range o.queries {
		q, err := car.ParseQuery(s)
		if err != nil {
			return nil, withHint(usageError{err}, `a query is NAME or LABEL=PHRASE|PHRASE, for example -q "pup=puppy|small dog"`)
		}
		queries = append(queries, q)
	}
	if o.queryFile != "" {
		f, err := plaintext.Open(o.queryFile)
		if err != nil {
			return nil, fmt.Errorf("reading queries: %w", err)
		}
		defer f.Close()
		more, err := car.ReadQueries(f, o.queryFile)
		if err != nil {
			return nil, textFileError(err, "one query a line, or a YAML list of entries with label, phrases, background, theta, presence, colour")
		}
		queries = append(queries, more...)
	}
	if err := car.CheckQueries(queries); err != nil {
		return nil, usageError{err}
	}
	return queries, nil
}

// textFileError is the error of a file of text that the command line names: what it
// says is wrong, or it could not be read.
func textFileError(err error, hint string) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return err
	}
	return withHint(usageError{err}, hint)
}

// queryColours returns the colour of each query: its own, or the next of the
// palette that nobody asked for.
func queryColours(queries []car.Query) ([][3]uint8, error) {
	colours := make([][3]uint8, len(queries))
	for i, q := range queries {
		colours[i] = overlay.Colour(i)
		if q.Colour == "" {
			continue
		}
		c, err := overlay.ParseColour(q.Colour)
		if err != nil {
			return nil, withHint(usageError{fmt.Errorf("query %q: %w", q.Label, err)}, `write "#0072b2" or a name such as "orange"`)
		}
		colours[i] = c
	}
	return colours, nil
}

// side is the long side of the picture that the model sees.
func (o *segmentOptions) side(p car.Preset, device string) int {
	switch {
	case o.given("max-side"):
		return o.maxSide
	case p.MaxSide > 0:
		return p.MaxSide
	case device != "cpu":
		return defaultMaxSideGPU
	}
	return defaultMaxSideCPU
}

func (o *segmentOptions) progressMode() string {
	if o.quiet && o.progress == "auto" {
		return "none"
	}
	return o.progress
}

// openedModels are the two CLIPs of a run.
type openedModels struct {
	proposer, judge *models.Model
	segmenter       *car.Segmenter
	device          string
}

func (m *openedModels) close() {
	if m.judge != m.proposer {
		m.judge.Close()
	}
	m.proposer.Close()
}

func openModels(o *segmentOptions, queries []car.Query, preset car.Preset, stderr io.Writer, log *slog.Logger) (_ *openedModels, err error) {
	proposer, judge := models.Pair(o.model)
	if o.classifier != "" {
		judge = o.classifier
	}
	if err := haveModels(o, uniq(proposer, judge), stderr, log); err != nil {
		return nil, err
	}
	options := models.Options{Threads: o.threads, Device: o.device, DeviceOptions: o.settings, Precision: o.precision, Log: log}
	m := &openedModels{}
	options.SkipLastBlock = preset.Quirks.SkipLastBlock
	if m.proposer, err = models.Open(context.Background(), proposer, options); err != nil {
		return nil, modelError(proposer, err)
	}
	m.judge = m.proposer
	if judge != proposer {
		if m.judge, err = models.Open(context.Background(), judge, options); err != nil {
			m.proposer.Close()
			if o.classifier != "" {
				return nil, modelError(o.classifier, err)
			}
			return nil, modelError(judge, err)
		}
	}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	for _, q := range queries {
		for _, phrase := range slices.Concat(q.Phrases, q.Background) {
			if err := m.readable(phrase, preset); err != nil {
				return nil, textError(fmt.Errorf("query %q: %w", q.Label, err))
			}
		}
		for _, phrase := range q.Phrases {
			if proposer == demo.Name && !demo.Knows(phrase) {
				log.Warn(fmt.Sprintf("the demo model was never taught %q; \"carve models show demo\" lists what it knows", phrase))
			}
		}
	}
	f, err := m.proposer.Proposer()
	if err != nil {
		return nil, runtimeError(err)
	}
	g, err := m.judge.Judge()
	if err != nil {
		return nil, runtimeError(err)
	}
	m.device = m.proposer.Device()
	switch {
	case m.device != "cpu":
		log.Info("the models run on " + m.device)
	case o.precision == models.Float16:
		log.Warn("precision fp16 is no faster than fp32 on a CPU")
	}
	if m.segmenter, err = car.New(f, g, preset); err != nil {
		return nil, err
	}
	m.segmenter.Threads = o.threads
	return m, nil
}

// readable finds a phrase that is too long for the models in one of the
// templates.
func (m *openedModels) readable(phrase string, preset car.Preset) error {
	for _, text := range preset.Texts(phrase) {
		for _, model := range []*models.Model{m.proposer, m.judge} {
			if _, err := model.Tokens(text); err != nil {
				return err
			}
		}
	}
	return nil
}

// A summary is what a run came to.
type summary struct {
	MessageType string           `json:"message_type"`
	Output      string           `json:"output"`
	Frames      int64            `json:"frames"`
	Duration    float64          `json:"duration_s"`
	Elapsed     float64          `json:"elapsed_s"`
	KeyFrames   int64            `json:"key_frames"` // frames that the model looked at
	Concepts    []conceptSummary `json:"concepts"`
	Stages      []stageSummary   `json:"stages"`
}

type conceptSummary struct {
	Label    string  `json:"label"`
	Frames   int64   `json:"frames"`             // in which it was found
	Presence float32 `json:"presence,omitempty"` // the highest; 0 if it was not weighed
	Asked    int64   `json:"asked"`              // key frames in which it was asked for
	Judged   int64   `json:"judged"`             // of them, those in which it was judged
	// Instances is how many things of it were told apart, with --instances.
	Instances int `json:"instances,omitempty"`
}

type stageSummary struct {
	Name    string  `json:"name"`
	Frames  int64   `json:"frames"`
	Busy    float64 `json:"busy_s"`
	Waiting float64 `json:"waiting_s"`
	Blocked float64 `json:"blocked_s"`
	Queue   float64 `json:"queue"` // frames waiting for it, on average
}

func (s *summary) addStages(l *line) {
	for _, st := range l.stages {
		s.Stages = append(s.Stages, stageSummary{st.name, st.items.Load(),
			float64(st.busy.Load()) / 1e9, float64(st.idle.Load()) / 1e9, float64(st.stuck.Load()) / 1e9, st.queue()})
	}
}

func (s *summary) print(o *segmentOptions, stdout, stderr io.Writer) {
	s.MessageType = "summary"
	if o.progress == "json" {
		line, _ := json.Marshal(s)
		fmt.Fprintf(stdout, "%s\n", line)
	}
	if o.quiet || o.logFormat == "json" {
		return
	}
	frames := "frames"
	if s.Frames == 1 {
		frames = "frame"
	}
	fmt.Fprintf(stderr, "wrote %s: %d %s in %.1f s (%.2f fps)\n", printable.Text(s.Output), s.Frames, frames, s.Elapsed, float64(s.Frames)/max(s.Elapsed, 1e-9))
	if o.verbose {
		var asked, judged int64
		for _, c := range s.Concepts {
			asked, judged = asked+c.Asked, judged+c.Judged
		}
		fmt.Fprintf(stderr, "  the model looked at %d of them; %d questions, %d judged\n", s.KeyFrames, asked, judged)
	}
	width := 0
	for _, c := range s.Concepts {
		width = max(width, utf8.RuneCountInString(printable.Text(c.Label)))
	}
	for _, c := range s.Concepts {
		found := fmt.Sprintf("in %d of %d %s", c.Frames, s.Frames, frames)
		if c.Frames == 0 {
			found = "not found"
			if c.Presence > 0 {
				found = fmt.Sprintf("not found (presence %.2f at most)", c.Presence)
			}
		}
		if c.Instances > 0 {
			found += fmt.Sprintf(", %d told apart", c.Instances)
		}
		fmt.Fprintf(stderr, "  %-*s  %s\n", width, printable.Text(c.Label), found)
	}
}

// outcome says in which of the ways that are not failures the run ended.
func (s *summary) outcome(o *segmentOptions, p *pipeline, src *video.Source, sink *video.Sink, last progressState) error {
	if p.stopped {
		return interruptedError{at: clock(last.At - p.start), written: o.output}
	}
	var lost []string
	if d := src.Damage(); d.Count > 0 {
		places := "damaged places in %s, the first"
		if d.Count == 1 {
			places = "damaged place in %s,"
		}
		lost = append(lost, fmt.Sprintf("%d "+places+" at %s (%v)", d.Count, o.input, clock(d.First), d.Err))
	}
	for _, l := range sink.Lost() {
		what := fmt.Sprintf("%s stream %d (%s)", l.Stream.Kind, l.Stream.Index, l.Stream.Codec)
		lost = append(lost, what+": "+l.Reason)
	}
	if len(lost) > 0 {
		return lostError{lost}
	}
	return nil
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func inputError(err error) error {
	if errors.Is(err, errMemory) {
		return err
	}
	err = fmt.Errorf("opening input: %w", err)
	switch {
	case errors.Is(err, video.ErrNoVideo):
		return withHint(err, "carve needs a stream with pictures")
	case errors.Is(err, video.ErrPlaylist):
		return withHint(err, "carve segment and carve try open it with --allow-playlists")
	case errors.Is(err, video.ErrIsDirectory):
		return withHint(err, "name a file in it; several images become a clip with ffmpeg")
	}
	return err
}

func outputError(err error) error {
	err = fmt.Errorf("opening output: %w", err)
	videos, images := video.Extensions()
	switch {
	case errors.Is(err, video.ErrExists):
		return withHint(err, "-y replaces it")
	case errors.Is(err, video.ErrSameFile):
		return withHint(usageError{err}, "write to another file")
	case errors.Is(err, video.ErrNotSeekable):
		return withHint(err, "a pipe can be .mkv .webm .ts .nut")
	case errors.Is(err, video.ErrUnknownContainer):
		return withHint(err, "a video can be "+strings.Join(videos, " ")+"; an image "+strings.Join(images, " "))
	case errors.Is(err, video.ErrEncoderMismatch):
		var path *video.PathError
		errors.As(err, &path)
		return withHint(usageError{err}, "--encoder can be "+strings.Join(video.EncodersFor(path.Path), ", ")+" for it")
	case errors.Is(err, video.ErrStillContainer):
		return withHint(err, "a video can be "+strings.Join(videos, " "))
	}
	return err
}

func textError(err error) error {
	if errors.Is(err, models.ErrTooLong) {
		return withHint(usageError{err}, "use fewer words; several phrases can be given as LABEL=PHRASE|PHRASE")
	}
	return err
}

func runtimeError(err error) error {
	if h := hintOf(err); h != "" {
		return withHint(err, h)
	}
	return err
}

// concepts counts in how many frames each query was found.
func (p *pipeline) concepts(queries []car.Query, n *questionnaire) []conceptSummary {
	list := make([]conceptSummary, len(queries))
	for i, q := range queries {
		list[i] = conceptSummary{Label: q.Label, Frames: p.found[i], Presence: p.presence[i], Instances: p.things[i]}
		if n.asked != nil {
			list[i].Asked, list[i].Judged = n.asked[i], n.judged[i]
		}
	}
	return list
}
