// Package golden finds the reference outputs that carve's arithmetic is held
// against: what the released CaR code computes on small CLIPs of the exact
// architecture, stage by stage.
//
// The data does not lie in the repository. The folder that holds it is named
// by CARVE_SHARED, and is "shared" beside the checkout when that is unset.
// Tests take cases, models and units from its manifests, never from a list of
// their own, so that any folder of the same layout can be put in its place.
package golden

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Missing begins what is said of a test that is skipped for want of shared data.
const Missing = "shared data is missing"

// Inputs reads the environment variable in which scripts/env.sh tells what lies outside
// the module that tests depend on. To have been read makes it part of the key of Go's
// test cache, which by itself does not see the shared data come, change or go.
func Inputs() string { return os.Getenv("CARVE_TEST_INPUTS") }

// Shared returns the folder of shared data. Where it is missing the test is
// skipped, saying so; with CI=true it fails instead, so that a continuous
// integration run cannot pass by testing nothing.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	Inputs()
	root := os.Getenv("CARVE_SHARED")
	if root == "" {
		_, file, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s: %v (set CARVE_SHARED)", Missing, err)
		}
		t.Skipf("%s: %v (set CARVE_SHARED to run this test)", Missing, err)
	}
	return path
}

// Dir returns the folder of golden data, or a path inside it.
func Dir(t testing.TB, elem ...string) string {
	t.Helper()
	return Shared(t, append([]string{"goldens"}, elem...)...)
}
