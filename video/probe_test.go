package video

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestLibraries(t *testing.T) {
	list := Libraries()
	if len(list) != 5 {
		t.Fatalf("%d libraries", len(list))
	}
	for _, l := range list {
		// The tests run with the FFmpeg that they were built with.
		if !l.Fits || l.Version == "" || l.Version != l.Built {
			t.Errorf("%+v", l)
		}
	}
	for _, c := range []struct {
		loaded, built uint
		fits          bool
	}{
		{61<<16 | 19<<8 | 101, 61<<16 | 19<<8 | 100, true},
		{61<<16 | 19<<8 | 1, 61<<16 | 19<<8 | 100, true},
		{61<<16 | 20<<8, 61<<16 | 19<<8, true},
		{61<<16 | 18<<8, 61<<16 | 19<<8, false},
		{62<<16 | 19<<8, 61<<16 | 19<<8, false},
		{60<<16 | 99<<8, 61<<16 | 19<<8, false},
	} {
		if fits(c.loaded, c.built) != c.fits {
			t.Errorf("%s for %s: fits is not %v", libraryVersion(c.loaded), libraryVersion(c.built), c.fits)
		}
	}
}

func TestContainers(t *testing.T) {
	var all []string
	for _, c := range Containers() {
		if len(c.Encoders) == 0 || len(c.Extensions) == 0 {
			t.Errorf("%+v", c)
		}
		all = append(all, c.Extensions...)
		if c.Muxer != "" {
			if err := ProbeMuxer(c.Muxer); err != nil {
				t.Errorf("muxer %s: %v", c.Muxer, err)
			}
		}
	}
	for _, ext := range []string{".mp4", ".mov", ".mkv", ".webm", ".png", ".jpg"} {
		if !slices.Contains(all, ext) {
			t.Errorf("no %s among %v", ext, all)
		}
	}
	if len(all) != len(containers) {
		t.Errorf("%d extensions of %d", len(all), len(containers))
	}
	if err := ProbeMuxer("no such muxer"); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("%v", err)
	}
}

// TestProbes expects the probes to succeed for everything that the other tests need,
// since set-up builds all of it.
func TestProbes(t *testing.T) {
	for _, name := range []string{"libx264", "ffv1", "png", "mpeg4", "prores_ks"} {
		if err := ProbeEncoder(name); err != nil {
			t.Errorf("encoder %s: %v", name, err)
		}
	}
	for _, name := range []string{"no such encoder", "aac"} { // the latter is not for video
		if err := ProbeEncoder(name); !errors.Is(err, ErrNotBuilt) {
			t.Errorf("encoder %s: %v", name, err)
		}
	}
	for _, codec := range []string{"h264", "hevc", "ffv1", "mjpeg", "png", "prores"} {
		if name, err := ProbeDecoder(codec); err != nil || name == "" {
			t.Errorf("decoder of %s: %q, %v", codec, name, err)
		}
	}
	if _, err := ProbeDecoder("no such codec"); err == nil {
		t.Error("a codec that there is not can be decoded")
	}
	for name, err := range ProbeFilters() {
		t.Errorf("filter %s: %v", name, err)
	}
	for _, p := range ProbeHardware() {
		if p.Name == "" {
			t.Errorf("a device without a name: %v", p.Err)
		}
	}
}

// TestTrialsAreSilent checks that probing prints nothing on standard error, in any
// program that uses this package. Some encoders print there by themselves when they are
// opened.
func TestTrialsAreSilent(t *testing.T) {
	if os.Getenv("TEST_TRIALS") != "" {
		for _, c := range Containers() {
			for _, e := range c.Encoders {
				ProbeEncoder(e)
			}
		}
		for _, e := range []string{"libx265", "libsvtav1", "libaom-av1", "prores_ks"} {
			ProbeEncoder(e)
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestTrialsAreSilent$")
	// This process may have silenced a library already.
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SVT_LOG=") })
	cmd.Env = append(env, "TEST_TRIALS=1", "GOCOVERDIR="+t.TempDir())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	if stderr.Len() > 0 {
		t.Errorf("the trials print:\n%s", stderr.String())
	}
}
