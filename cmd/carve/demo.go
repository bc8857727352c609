package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/sheet"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

func demoHelp(bool) string {
	return `carve demo - segment the built-in clip with the built-in model

Usage:
  carve demo [-o FOLDER] [-y]

Writes clip.mp4, overlay.mp4 and sheet.png to the folder, in this order. Each is
complete when it appears, and is kept if a later one fails. The model is not
CLIP: it knows 64 emoji stickers. The clip shows four of them; the fifth query
is for one that never appears.

Flags:
  -o, --output FOLDER   folder to write to (default demo-out)
  -y, --overwrite       replace files that exist
`
}

// demoCells is how many frames the contact sheet shows.
const demoCells = 12

func runDemo(args []string, stdout, stderr io.Writer) error {
	fs := pflag.NewFlagSet("demo", pflag.ContinueOnError)
	dir := fs.StringP("output", "o", "demo-out", "")
	overwrite := fs.BoolP("overwrite", "y", false, "")
	if err := parse(fs, args, demoHelp, stdout); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return ui.WithHint(ui.Usagef("unexpected argument %q", fs.Arg(0)), "the folder is given with -o")
	}
	if _, err := os.Stat(*dir); errors.Is(err, os.ErrNotExist) {
		defer os.Remove(*dir) // fails, as it should, if the demo wrote a file
	}
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return fmt.Errorf("making the demo's folder: %w", err)
	}
	clip, out, contact := filepath.Join(*dir, "clip.mp4"), filepath.Join(*dir, "overlay.mp4"), filepath.Join(*dir, "sheet.png")
	if err := planOutputs(new(messageOptions).newLog(stderr), *overwrite, nil, clip, out, contact); err != nil {
		return err
	}
	written, err := writeDemoClip(clip, *overwrite)
	if err != nil {
		return fmt.Errorf("writing the demo's clip: %w", err)
	}
	defer written.Revert() // does nothing after Keep

	o := defaultOptions()
	o.input, o.output, o.overwrite = clip, out, *overwrite
	o.model, o.queries = demo.Name, democlip.Queries
	// The contact sheet names the objects in each of its frames.
	found := make(map[int64][]int)
	o.observers = []carve.Sink{carve.SinkFunc(func(_ context.Context, f *carve.Frame) error {
		for _, l := range f.Layers {
			found[f.Index] = append(found[f.Index], l.Query)
		}
		return nil
	})}
	fmt.Fprintf(stderr, "segmenting %s with the demo model, which knows 64 stickers and nothing else\n", printable.Text(clip))
	s, err := segment(o, stdout, stderr)
	if s != nil {
		s.print(o, stdout, stderr)
	}
	if err != nil {
		return err
	}
	written.Keep()
	if err := contactSheet(out, contact, s, found, *overwrite); err != nil {
		return ui.LostError{What: []string{"the contact sheet: " + err.Error()}} // the other outputs are complete
	}
	fmt.Fprintf(stdout, "overlay: %s\ncontact sheet: %s\n", printable.Text(out), printable.Text(contact))
	return nil
}

// writeDemoClip writes the built-in clip. The result undoes that.
func writeDemoClip(path string, overwrite bool) (*atomicfile.Undo, error) {
	// The clip of an earlier demo is not written again: a run that is killed would leave a
	// copy of it.
	if there, err := os.ReadFile(path); err == nil && overwrite && bytes.Equal(there, democlip.Clip) {
		return nil, nil
	}
	f, err := atomicfile.Create(path, atomicfile.Options{Overwrite: overwrite})
	if err != nil {
		return nil, err
	}
	defer f.Abort()
	if _, err := f.Write(democlip.Clip); err != nil {
		return nil, err
	}
	return f.CommitUndoable()
}

// contactSheet draws evenly spaced frames of a clip into a PNG.
func contactSheet(clip, path string, s *summary, found map[int64][]int, overwrite bool) error {
	ctx := context.Background()
	src := &video.Source{Path: clip}
	if err := src.Initialize(); err != nil {
		return err
	}
	defer src.Close()
	var tags []sheet.Tag
	for i, c := range s.Concepts {
		rgb := overlay.Colour(i)
		tags = append(tags, sheet.Tag{Name: c.Label, Color: color.RGBA{rgb[0], rgb[1], rgb[2], 255}})
	}
	var cells []sheet.Cell
	for shot, err := range src.Each(ctx, 640) {
		if err != nil {
			return err
		}
		if shot.Index*demoCells/max(s.Frames, 1) < int64(len(cells)) {
			continue
		}
		cell := sheet.Cell{Caption: ui.Clock(shot.Time())}
		for _, q := range found[shot.Index] {
			cell.Tags = append(cell.Tags, tags[q])
		}
		pixels, err := shot.Picture()
		if err != nil {
			return err
		}
		cell.Image = rgba(pixels)
		cells = append(cells, cell)
	}
	img, err := sheet.Draw(cells, sheet.Options{Title: "carve demo: " + filepath.Base(clip), Columns: 4})
	if err != nil {
		return err
	}
	return writePNG(path, img, atomicfile.Options{Overwrite: overwrite, Inputs: []string{clip}})
}

func rgba(p video.Picture) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, p.W, p.H))
	for i := range p.W * p.H {
		copy(img.Pix[4*i:], p.Pix[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	return img
}

func writePNG(path string, img image.Image, o atomicfile.Options) error {
	f, err := atomicfile.Create(path, o)
	if err != nil {
		return outputError(err)
	}
	defer f.Abort()
	if err := png.Encode(f, img); err != nil {
		return err
	}
	return f.Commit()
}
