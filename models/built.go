package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/ort"
)

// Built graphs are kept on disk, beside their weights in the form that they want
// (constant.go). Bringing those of a large model into it takes seconds, when the
// model is first used; after that they are mapped:
//
//	CARVE_CACHE/graphs/WEIGHTS/GRAPH-PRECISION-DIGEST/
//
// WEIGHTS is the checksum of the checkpoint. DIGEST is that of the graph as the
// builder describes it: a new builder, another precision or another layout make
// another graph, and nobody has to remember to count a version up. The same
// graph serves all devices and all versions of the runtime; only 8-bit weights
// differ between kinds of CPUs, which are part of the digest.

// The files of a built graph.
const (
	graphFile      = "graph.onnx"
	weightsOfGraph = "graph.weights"
)

// builtFrom is the size of a checkpoint from which graphs are kept. Tests lower
// it.
var builtFrom int64 = 64 << 20

// session loads a graph, from the cache where that is worth it.
func (m *Model) session(n *net) (*ort.Session, error) {
	o := ort.Options{
		Threads: m.options.Threads, Device: m.options.Device, DeviceOptions: m.options.DeviceOptions,
		BFloat16: n.bfloat, Log: m.options.Log,
	}
	if m.options.Precision == Int8 || m.options.Precision == BFloat16 {
		o.Device = ort.CPU // auto: only the CPU has these products
	}
	if err := ort.Start(); err != nil {
		return nil, err
	}
	if !n.inline {
		s, err := m.openBuilt(n, o)
		var device *ort.DeviceError
		if err == nil || errors.As(err, &device) {
			return s, err
		}
		// A full disk or a cache that cannot be written is no reason not to
		// work: the graph takes all weights along, at the price of memory.
		m.options.Log.Warn("a built graph cannot be kept", "graph", n.Name(), "err", err)
		n.inline = true
	}
	graph, err := n.Marshal()
	if err != nil {
		return nil, err
	}
	return ort.NewSession(n.Name(), graph, n.Inputs(), n.Outputs(), o)
}

// openBuilt loads a graph from the cache. One that does not load, or is not what
// was written, was damaged, and is built once more.
func (m *Model) openBuilt(n *net, o ort.Options) (s *ort.Session, err error) {
	for range 2 {
		dir, e := m.built(n)
		if e != nil {
			return nil, errors.Join(err, e)
		}
		s, err = openSealed(dir, func() (*ort.Session, error) {
			return ort.OpenSession(n.Name(), filepath.Join(dir, graphFile), n.Inputs(), n.Outputs(), o)
		})
		if err == nil {
			return s, nil
		}
		var device *ort.DeviceError
		if errors.As(err, &device) {
			return nil, err
		}
		m.options.Log.Warn("a built graph cannot be used and is built anew", "graph", n.Name(), "err", err)
		if e := os.RemoveAll(dir); e != nil {
			return nil, errors.Join(err, e)
		}
	}
	return nil, err
}

// built returns the folder of a graph in the cache, after building it if need
// be.
func (m *Model) built(n *net) (dir string, err error) {
	sum, err := m.fingerprint()
	if err != nil {
		return "", err
	}
	home, err := graphsDir(sum)
	if err != nil {
		return "", err
	}
	graph, err := n.Marshal()
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	digest.Write(graph)
	fmt.Fprint(digest, n.precision, weightRange())
	kind := strings.ReplaceAll(n.Name(), " ", "-") + "-" + n.precision
	dir = filepath.Join(home, kind+"-"+hex.EncodeToString(digest.Sum(nil))[:16])
	if complete(dir) {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	m.options.Log.Info("preparing the model for this machine, once; later starts are faster", "model", m.name, "graph", n.Name(), "precision", n.precision)
	if err := n.keep(graph, home, dir); err != nil {
		return "", err
	}
	forget(home, kind, dir)
	return dir, nil
}

// keep writes a graph and its weights into a folder of their own and moves that
// into place whole. Of two processes that build at once the first one wins.
func (n *net) keep(graph []byte, home, dir string) error {
	sweep(home)
	part, err := atomicfile.CreateFolder(dir, atomicfile.Options{})
	if errors.Is(err, atomicfile.ErrExists) && complete(dir) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("failed to keep %s: %w", n.Name(), err)
	}
	defer part.Abort()
	err = os.WriteFile(filepath.Join(part.Path(), graphFile), graph, 0o666)
	if err == nil {
		err = n.write(filepath.Join(part.Path(), weightsOfGraph))
	}
	if err == nil {
		err = writeSeal(part.Path())
	}
	if err != nil {
		return fmt.Errorf("failed to keep %s: %w", n.Name(), err)
	}
	if err := part.Commit(); err != nil && !complete(dir) {
		return fmt.Errorf("failed to keep %s: %w", n.Name(), err)
	}
	return nil
}

// forget removes what an older builder or runtime left of the same graph. A
// process that has it mapped keeps it until it ends.
func forget(home, kind, keep string) {
	old, _ := filepath.Glob(filepath.Join(home, kind+"-*")) // the pattern is well-formed
	for _, dir := range old {
		if dir != keep {
			os.RemoveAll(dir) // what stays costs room, nothing else
		}
	}
}

// sweep removes temporary folders in the cache, of processes that ended before
// they could. Those of a process that goes on are locked; where locks do not work,
// and before one is set, it is the age that tells.
func sweep(home string) { atomicfile.SweepFolders(home, 24*time.Hour) }

// graphsDir makes the folder of a checkpoint's built graphs.
func graphsDir(sum string) (string, error) {
	cache := ort.CacheDir()
	if cache == "" {
		return "", errors.New("there is no folder to keep built graphs in")
	}
	dir := filepath.Join(cache, "graphs", sum[:16])
	return dir, os.MkdirAll(dir, 0o777)
}

// selfTestFile is where the result of a checkpoint's self-test is kept.
func selfTestFile(cache, sum string) string {
	return filepath.Join(cache, "selftests", sum[:16]+".json")
}

// SelfTestFile is where package selftest keeps what it finds out about the model,
// beside what else is made of its weights; [Remove] takes it along. It is empty for a
// model in memory, and where there is no cache.
func (m *Model) SelfTestFile() (string, error) {
	cache := ort.CacheDir()
	if m.dir == "" || cache == "" {
		return "", nil
	}
	sum, err := m.fingerprint()
	if err != nil {
		return "", err
	}
	return selfTestFile(cache, sum), nil
}

// removeBuilt removes all that was kept of a checkpoint.
func removeBuilt(sum string) error {
	cache := ort.CacheDir()
	if cache == "" {
		return nil
	}
	var errs []error
	for _, file := range []string{textsFile(cache, sum), selfTestFile(cache, sum)} {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errors.Join(errs...), os.RemoveAll(filepath.Join(cache, "graphs", sum[:16])))
}
