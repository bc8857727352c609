// Package golden finds the reference outputs that carve's arithmetic is compared with:
// what the released CaR code computes on small CLIPs of the exact architecture, stage
// by stage.
//
// The data is not in the repository. CARVE_SHARED names its folder; the default is
// "shared" beside the checkout. Tests take cases, models and units from its manifests,
// never from a list of their own, so that any folder of the same layout can replace it.
package golden

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Missing begins the message of a test that is skipped because shared data is missing.
const Missing = "shared data is missing"

// Inputs reads the environment variable in which scripts/env.sh describes the files
// outside the module that tests depend on. Reading it makes it part of the key of Go's
// test cache, which otherwise would not notice that shared data has changed.
func Inputs() string { return os.Getenv("CARVE_TEST_INPUTS") }

// Shared returns the folder of shared data. If it is missing, the test is skipped with
// a message. With CI=true it fails instead, so that a CI run cannot pass by testing
// nothing.
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
