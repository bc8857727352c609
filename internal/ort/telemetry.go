package ort

import (
	"fmt"
	"os"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// telemetryOff is the variable that keeps ONNX Runtime from sending its maker what it
// was used for. Left to themselves builds for Linux look up a host some ten seconds
// after the library was loaded, keep a number that stands for the machine in the user's
// cache, and write a log into the folder for temporary files.
const telemetryOff = "ORT_DISABLE_TELEMETRY"

// Telemetry tells whether ONNX Runtime may send its maker what it was used for. It may
// where the user's own environment says so: where ORT_DISABLE_TELEMETRY is 0, false, no
// or off.
func Telemetry() bool {
	switch strings.ToLower(os.Getenv(telemetryOff)) {
	case "0", "false", "no", "off":
		return true
	}
	return false
}

// stayQuiet sets the variable, unless the user wants it otherwise. It must be called
// before the library is loaded, which is when it is looked at. With cgo Go's environment
// is C's as well.
func stayQuiet() error {
	if Telemetry() {
		return nil
	}
	// Whatever stands there: some of what means yes elsewhere means nothing to it.
	if err := os.Setenv(telemetryOff, "1"); err != nil {
		return fmt.Errorf("failed to set %s: %w", telemetryOff, err)
	}
	return nil
}

// stayQuietToo says the same by the library's own call, for builds that know that one
// alone, as those for Windows do.
func stayQuietToo() error {
	if Telemetry() {
		return nil
	}
	return onnxruntime.DisableTelemetry()
}
