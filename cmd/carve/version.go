package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/video"
	"github.com/spf13/pflag"
)

func runVersion(args []string, stdout, _ io.Writer) error {
	fs := pflag.NewFlagSet("version", pflag.ContinueOnError)
	if err := parse(fs, args, func(bool) string {
		return "carve version - print the versions of carve and of its libraries\n"
	}, stdout); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "carve %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(stdout, "FFmpeg %s\n", video.FFmpegVersion())
	if path, v, err := models.Runtime(); err != nil {
		fmt.Fprintln(stdout, "ONNX Runtime not found")
	} else {
		fmt.Fprintf(stdout, "ONNX Runtime %s (%s)\n", v, path)
	}
	return nil
}
