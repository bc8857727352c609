// Stickerworld draws pictures and films of the demo model's world, with the
// truth about every pixel: material to measure carve with.
//
//	stickerworld clip   --script FILE [--strip FILE.png] -o DIR|FILE.mp4
//	stickerworld scenes [--seed N] [--count N] [--training WxH] -o DIR
//
// A film goes into a folder laid out like the DAVIS data set, JPEGImages being
// lossless PNGs here:
//
//	frames/00000.png       the picture
//	annotations/00000.png  indexed: which concept each pixel shows
//	audio.wav              a tone for every track, louder while it is seen
//	truth.json             names of the labels; per frame what is there
//
// Scenes go into a folder of the same layout without sound. For a name that
// ends in .mp4 the program ffmpeg encodes the film, with its sound. --strip
// writes the annotations of a whole clip as one picture, and truth.json beside
// it.
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
		script := flags.String("script", "", "description of the film, a YAML file")
		strip := flags.String("strip", "", "also write all annotations as one PNG")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if *out == "" {
			return fmt.Errorf("no output (-o)")
		}
		return writeClip(*script, *out, *strip)
	case "scenes":
		seed := flags.Uint64("seed", 1, "the same seed draws the same scenes")
		count := flags.Int("count", 42, "how many")
		training := flags.String("training", "", "scenes as in training, of the size WxH (default: as in measuring)")
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
