package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The runtime opens its telemetry log while its environment is made. The log's name has
// the process's number.
func TestNoTelemetry(t *testing.T) {
	start(t)
	if Telemetry() {
		t.Skipf("the environment asks for telemetry: unset %s", telemetryOff)
	}
	if v := os.Getenv(telemetryOff); v != "1" {
		t.Errorf("%s is %q after the start, want 1", telemetryOff, v)
	}
	log := filepath.Join(os.TempDir(), fmt.Sprintf("mat-debug-%d.log", os.Getpid()))
	if _, err := os.Stat(log); err == nil {
		t.Errorf("the runtime's telemetry has opened %s", log)
	}
}

func TestTelemetry(t *testing.T) {
	for v, sends := range map[string]bool{"": false, "1": false, "yes": false, "0": true, "Off": true} {
		t.Setenv(telemetryOff, v)
		if Telemetry() != sends {
			t.Errorf("%s=%q: telemetry %v, want %v", telemetryOff, v, Telemetry(), sends)
		}
		if err := disableTelemetryByVariable(); err != nil {
			t.Fatal(err)
		}
		want := "1"
		if sends {
			want = v
		}
		if got := os.Getenv(telemetryOff); got != want {
			t.Errorf("%s=%q became %q, want %q", telemetryOff, v, got, want)
		}
	}
}
