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

// Shared returns the folder of shared data. Where it is missing the test is
// skipped, saying so; with CI=true it fails instead, so that a continuous
// integration run cannot pass by testing nothing.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("CARVE_SHARED")
	if root == "" {
		_, file, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("shared data is missing: %v (set CARVE_SHARED)", err)
		}
		t.Skipf("shared data is missing: %v (set CARVE_SHARED to run this test)", err)
	}
	return path
}

// Dir returns the folder of golden data, or a path inside it.
func Dir(t testing.TB, elem ...string) string {
	t.Helper()
	return Shared(t, append([]string{"goldens"}, elem...)...)
}
