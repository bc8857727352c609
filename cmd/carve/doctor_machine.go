package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/carve-video/carve/internal/limits"
	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/internal/ui"
	"golang.org/x/sys/cpu"
)

// A host is what the operating system says about the machine. Unknown fields are empty.
type host struct {
	system    string   // name and version of the operating system
	cpu       string   // name of the processor
	flags     []string // features of the processor
	available int64    // bytes of memory that a program can take without swapping
}

func (d *doctor) machine(context.Context) {
	h := readHost()
	add := func(name, status, detail string) {
		d.add(item{Section: sectionMachine, Name: name, Status: status, Detail: detail})
	}
	d.add(item{Section: sectionMachine, Name: "carve", Status: statusInfo, Version: version, Detail: runtime.Version()})
	system := runtime.GOOS + "/" + runtime.GOARCH
	if h.system != "" {
		system += ", " + h.system
	}
	add("system", statusInfo, system)
	cores := ui.Counted(runtime.GOMAXPROCS(0), "thread") + " to use"
	if n := runtime.NumCPU(); n != runtime.GOMAXPROCS(0) {
		cores += fmt.Sprintf(" of %d (GOMAXPROCS, or the container's limit)", n)
	}
	if h.cpu != "" {
		cores = h.cpu + "; " + cores
	}
	add("cpu", statusInfo, cores)
	d.cpuFeatures(h.flags)
	d.memory(limits.Machine(), limits.Memory(), h.available)
	d.gpus()
}

// cpuFeatures lists which of the instruction sets that ONNX Runtime uses this CPU has.
func (d *doctor) cpuFeatures(flags []string) {
	type feature struct {
		name string
		has  bool
	}
	var list []feature
	i := item{Section: sectionMachine, Name: "cpu features", Status: statusInfo}
	switch runtime.GOARCH {
	case "amd64":
		list = []feature{
			{"AVX2", cpu.X86.HasAVX2}, {"FMA", cpu.X86.HasFMA}, {"AVX-512", cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW},
			{"VNNI", cpu.X86.HasAVX512VNNI || cpu.X86.HasAVXVNNI}, {"AMX", cpu.X86.HasAMXInt8 || cpu.X86.HasAMXBF16},
		}
		if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
			i.Hint = "without AVX2 and FMA everything takes several times as long; a virtual machine may hide them: give it the host's CPU model"
		}
	case "arm64":
		has := func(name string) bool {
			for _, f := range flags {
				if f == name {
					return true
				}
			}
			return false
		}
		list = []feature{{"dotprod", cpu.ARM64.HasASIMDDP}, {"i8mm", cpu.ARM64.HasI8MM}, {"bf16", has("bf16")}}
	}
	var has, lacks []string
	for _, f := range list {
		if f.has {
			has = append(has, f.name)
		} else {
			lacks = append(lacks, f.name)
		}
	}
	if len(has) > 0 {
		i.Detail = strings.Join(has, ", ")
	}
	if len(lacks) > 0 {
		i.Detail = strings.TrimPrefix(i.Detail+"; not "+strings.Join(lacks, ", "), "; ")
	}
	if i.Detail == "" {
		i.Detail = "unknown"
	}
	d.add(i)
}

// memory reports the memory of the machine, what is available, and a lower limit of this
// process.
func (d *doctor) memory(machine, most limits.Limit, available int64) {
	i := item{Section: sectionMachine, Name: "memory", Status: statusInfo, Detail: "unknown"}
	if machine.Known() {
		i.Detail = ui.Gigabytes(machine.N)
		if available > 0 {
			i.Detail += ", " + ui.Gigabytes(available) + " available"
		}
		if most.N < machine.N {
			i.Detail += "; " + most.By + " allows " + ui.SizeRoundedUp(most.N)
		}
	}
	d.add(i)
}

// gpus lists the drivers. Whether they work is tested with ONNX Runtime.
func (d *doctor) gpus() {
	i := item{Section: sectionMachine, Name: "gpu", Status: statusInfo}
	var seen []string
	if ort.HasDriver() {
		driver := "NVIDIA driver"
		if b, err := os.ReadFile("/proc/driver/nvidia/version"); err == nil {
			if v := driverVersion(string(b)); v != "" {
				driver += " " + v
			}
		}
		cards, _ := filepath.Glob("/proc/driver/nvidia/gpus/*/information") // the pattern is well-formed
		for _, c := range cards {
			if b, err := os.ReadFile(c); err == nil {
				driver += ", " + procValue(string(b), "Model")
			}
		}
		seen = append(seen, driver)
	}
	if nodes, _ := filepath.Glob("/dev/dri/renderD*"); len(nodes) > 0 { // the pattern is well-formed
		seen = append(seen, strings.Join(nodes, " "))
	}
	if len(seen) == 0 {
		seen = []string{"no driver found"}
	}
	i.Detail = strings.Join(seen, "; ")
	d.add(i)
}

// procValue finds a line "key : value", as in the files of /proc.
func procValue(text, key string) string {
	for line := range strings.Lines(text) {
		k, v, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// driverVersion finds the version in /proc/driver/nvidia/version. It is in the first line
// after "Kernel Module", for the open module with other words in between:
//
//	NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build
func driverVersion(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	for _, word := range strings.Fields(line) {
		if first, _, dotted := strings.Cut(word, "."); dotted {
			if _, err := strconv.Atoi(first); err == nil {
				return word
			}
		}
	}
	return ""
}

// parseCPUInfo reads the processor's name and flags from /proc/cpuinfo. For Arm there is
// no name.
func parseCPUInfo(text string) (name string, flags []string) {
	name = procValue(text, "model name")
	all := procValue(text, "flags")
	if all == "" {
		all = procValue(text, "Features")
	}
	return name, strings.Fields(all)
}

// parseAvailable finds the available bytes in /proc/meminfo.
func parseAvailable(text string) int64 {
	number, unit, _ := strings.Cut(procValue(text, "MemAvailable"), " ")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || unit != "kB" {
		return 0
	}
	return n << 10
}

// parseOSRelease finds the name in /etc/os-release, which has the syntax of a shell.
func parseOSRelease(text string) string {
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return ""
}
