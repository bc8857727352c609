// Stickerworld renders images and videos of stickers that the demo model knows, with
// ground truth for every pixel, to measure carve with.
//
//	stickerworld clip   --script FILE [--strip FILE.png] -o DIR|FILE.mp4
//	stickerworld scenes [--seed N] [--count N] [--training WxH] -o DIR
//
// A clip is written to a folder with a layout like that of the DAVIS data set, but with
// lossless PNGs:
//
//	frames/00000.png       the frame
//	annotations/00000.png  indexed: the concept of each pixel
//	audio.wav              a tone for every track, louder while it is visible
//	truth.json             names of the labels; for each frame what is present
//
// Scenes are written to a folder of the same layout, without sound. If the name of the
// output ends in .mp4, the program ffmpeg encodes the clip with its sound. --strip also
// writes the annotations of the whole clip as one PNG, and truth.json beside it.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "stickerworld: error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to draw: clip or scenes")
	}
	flags := pflag.NewFlagSet("stickerworld "+args[0], pflag.ContinueOnError)
	out := flags.StringP("output", "o", "", "folder, or FILE.mp4 for a clip")
	switch args[0] {
	case "clip":
		script := flags.String("script", "", "YAML file that describes the clip")
		strip := flags.String("strip", "", "also write all annotations as one PNG")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if *out == "" {
			return fmt.Errorf("no output (-o)")
		}
		return writeClip(*script, *out, *strip)
	case "scenes":
		seed := flags.Uint64("seed", 1, "random seed; the same seed gives the same scenes")
		count := flags.Int("count", 42, "number of scenes")
		training := flags.String("training", "", "scenes like those of training, of the size WxH (default: like those of evaluation)")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if *out == "" {
			return fmt.Errorf("no output (-o)")
		}
		return writeScenes(*seed, *count, *training, *out)
	}
	return fmt.Errorf("cannot draw %q: clip or scenes", args[0])
}
