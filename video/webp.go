package video

import (
	"io"
	"os"
)

// animatedWebP reports whether a file is an animated WebP. FFmpeg knows the format but
// finds no frame in it, which looks like damage.
func animatedWebP(path string) bool {
	const kindAt, featuresAt, animation = 12, 20, 2
	fi, err := os.Stat(path)
	if err != nil || !fi.Mode().IsRegular() {
		return false // a pipe cannot be read again
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, featuresAt+1)
	if _, err := io.ReadFull(f, head); err != nil {
		return false
	}
	return string(head[:4]) == "RIFF" && string(head[8:kindAt]) == "WEBP" && string(head[kindAt:kindAt+4]) == "VP8X" &&
		head[featuresAt]&animation != 0
}
