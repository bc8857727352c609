package ort

import (
	"fmt"
	"os"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// telemetryOff is the variable that keeps ONNX Runtime from sending usage data to its
// maker. By default, a build for Linux looks up a host about ten seconds after loading,
// keeps an identifier of the machine in the user's cache, and writes a log into the
// folder for temporary files.
const telemetryOff = "ORT_DISABLE_TELEMETRY"

// Telemetry tells whether ONNX Runtime may send usage data to its maker. It may only if
// the user's environment allows it: if ORT_DISABLE_TELEMETRY is 0, false, no or off.
func Telemetry() bool {
	switch strings.ToLower(os.Getenv(telemetryOff)) {
	case "0", "false", "no", "off":
		return true
	}
	return false
}

// disableTelemetryByVariable sets the variable, unless the user allows telemetry. It
// must be called before the library is loaded, which then reads the variable. With cgo,
// Go's environment is also C's.
func disableTelemetryByVariable() error {
	if Telemetry() {
		return nil
	}
	// The value is replaced too: the library does not know every way to say yes.
	if err := os.Setenv(telemetryOff, "1"); err != nil {
		return fmt.Errorf("failed to set %s: %w", telemetryOff, err)
	}
	return nil
}

// disableTelemetryByCall uses the library's own call. Some builds, such as those for
// Windows, only know that.
func disableTelemetryByCall() error {
	if Telemetry() {
		return nil
	}
	return onnxruntime.DisableTelemetry()
}
