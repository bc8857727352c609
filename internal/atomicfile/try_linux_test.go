package atomicfile

import (
	"os"
	"strings"
	"testing"
)

// TestFolderThatTakesNoFile: permissions may allow a file that the file system refuses,
// as for root in /proc. The plan already refuses such a folder.
func TestFolderThatTakesNoFile(t *testing.T) {
	const path = "/proc/carve.mp4"
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("there is no /proc here")
	}
	var plan Plan
	if err := plan.Add(path); err == nil || !strings.Contains(err.Error(), path+": its folder cannot be written: ") {
		t.Errorf("planned %s: %v", path, err)
	}
}

// TestTryLeavesNothing: neither way of trying leaves a file.
func TestTryLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	for name, try := range map[string]func(string) error{"without a name": tryFile, "hidden": tryHidden} {
		if err := try(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		holds(t, dir, nil)
	}
	if err := tryHidden(dir + "/none"); err == nil {
		t.Error("a folder that does not exist can be written")
	}
}
