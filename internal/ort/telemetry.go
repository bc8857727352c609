package ort

import (
	"fmt"
	"os"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// telemetryOff is the variable that keeps ONNX Runtime from sending its maker what it
// was used for. Left to itself, a build for Linux looks up a host some ten seconds after
// it was loaded, keeps a number that stands for the machine in the user's cache, and
// writes a log into the folder for temporary files.
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

// disableTelemetryByVariable sets the variable, unless the user wants it otherwise. It
// must be called before the library is loaded, which reads the variable then. With cgo
// Go's environment is C's as well.
func disableTelemetryByVariable() error {
	if Telemetry() {
		return nil
	}
	// Also where it has a value already: the library does not know every way to say yes.
	if err := os.Setenv(telemetryOff, "1"); err != nil {
		return fmt.Errorf("failed to set %s: %w", telemetryOff, err)
	}
	return nil
}

// disableTelemetryByCall does it by the library's own call. Some builds, such as those
// for Windows, know only that.
func disableTelemetryByCall() error {
	if Telemetry() {
		return nil
	}
	return onnxruntime.DisableTelemetry()
}
