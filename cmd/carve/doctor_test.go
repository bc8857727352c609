package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/limits"
	"github.com/carve-video/carve/internal/ui"
)

func TestHostFiles(t *testing.T) {
	name, flags := parseCPUInfo("processor\t: 0\nmodel name\t: AMD EPYC 9V74 80-Core Processor\nflags\t\t: fpu avx2 fma\n\nprocessor\t: 1\nmodel name\t: other\n")
	if name != "AMD EPYC 9V74 80-Core Processor" || !slices.Equal(flags, []string{"fpu", "avx2", "fma"}) {
		t.Errorf("%q, %q", name, flags)
	}
	if name, flags := parseCPUInfo("processor\t: 0\nFeatures\t: fp asimd bf16\n"); name != "" || !slices.Contains(flags, "bf16") {
		t.Errorf("Arm: %q, %q", name, flags)
	}
	if n := parseAvailable("MemTotal:       24678912 kB\nMemFree:  1 kB\nMemAvailable:   23000000 kB\n"); n != 23000000<<10 {
		t.Errorf("%d bytes available", n)
	}
	if s := parseOSRelease("NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"); s != "Debian GNU/Linux 12 (bookworm)" {
		t.Errorf("%q", s)
	}
	for text, want := range map[string]string{
		"NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue Jun  6 22:20:39 UTC 2023\nGCC version:  gcc version 12.2.0\n": "535.54.03",
		"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@U16)\nGCC version: 12.2.0\n": "570.86.15",
		"NVRM version: none\n": "", "": "",
	} {
		if v := driverVersion(text); v != want {
			t.Errorf("%q: %q, want %q", text, v, want)
		}
	}
}

// FuzzHostFiles: whatever is in the kernel's files, the report continues.
func FuzzHostFiles(f *testing.F) {
	f.Add("model name : x\nflags : a b\nMemTotal: 5 kB\nPRETTY_NAME=\"y\"\nNVRM version: 1.2")
	f.Add("MemTotal: -1 kB\nMemTotal")
	f.Fuzz(func(t *testing.T, text string) {
		if name, _ := parseCPUInfo(text); strings.Contains(name, "\n") {
			t.Errorf("a name of two lines: %q", name)
		}
		parseAvailable(text)
		parseOSRelease(text)
		driverVersion(text)
	})
}

// TestDoctorMemory: the limit of this process is reported if it is below the machine's memory.
func TestDoctorMemory(t *testing.T) {
	machine := limits.Limit{N: 16e9, By: "this machine"}
	for want, c := range map[string]struct{ machine, most limits.Limit }{
		"16 GB, 9 GB available":                            {machine, machine},
		"16 GB, 9 GB available; the container allows 2 GB": {machine, limits.Limit{N: 2e9, By: "the container"}},
		"16 GB, 9 GB available; ulimit -d allows 300 MB":   {machine, limits.Limit{N: 3e8, By: "ulimit -d"}},
		"unknown": {},
	} {
		var d doctor
		d.stderr = io.Discard
		d.memory(c.machine, c.most, 9e9)
		if got := d.items[0].Detail; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestDoctorReport: the report is in sections, its lines fit, and it has hints.
func TestDoctorReport(t *testing.T) {
	var out bytes.Buffer
	d := &doctor{stdout: &out, stderr: &bytes.Buffer{}}
	d.add(item{Section: sectionMachine, Name: "cpu", Status: statusInfo, Detail: strings.Repeat("many words ", 20)})
	d.add(item{Section: sectionMachine, Name: "gpu", Status: statusInfo, Detail: "none"})
	d.addBlocker(item{Section: sectionRuntime, Name: "ONNX Runtime", Status: statusMissing}, ui.WithHint(fmt.Errorf("it is not\nthere"), "fetch it"))
	d.setBlocker(fmt.Errorf("a later one"))
	text := out.String()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > reportWidth {
			t.Errorf("%d characters: %q", n, line)
		}
	}
	if strings.Count(text, "Machine\n") != 1 || !strings.Contains(text, "\n\nONNX Runtime\n  missing  ONNX Runtime\n           fetch it\n") {
		t.Errorf("report:\n%s", text)
	}
	if err := d.verdict(); err == nil || err.Error() != "nothing can be segmented here: it is not there" || ui.Hint(err) != "fetch it" {
		t.Errorf("verdict: %v, hint %q", err, ui.Hint(err))
	}
	if err := (&doctor{}).verdict(); err != nil {
		t.Errorf("with nothing wrong: %v", err)
	}
}

func TestStandIns(t *testing.T) {
	before, after := alternatives("b", [][]string{{"a", "b", "c"}, {"b", "d"}, {"a", "b"}, {"x"}})
	if !slices.Equal(before, []string{"a"}) || !slices.Equal(after, []string{"c", "d"}) {
		t.Errorf("%v, %v", before, after)
	}
}
