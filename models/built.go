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

// Built graphs are cached on disk, together with their weights in the layout that the
// graphs need (constant.go). Converting the weights of a large model takes seconds when
// it is first used; after that they are mapped:
//
//	CARVE_CACHE/graphs/WEIGHTS/GRAPH-PRECISION-DIGEST/
//
// WEIGHTS is the checksum of the checkpoint. DIGEST is that of the graph: another
// version of the builder, another precision or another layout gives another digest, so
// that no version number has to be maintained. The same graph is used on all devices
// and with all versions of the runtime. Only 8-bit weights depend on the kind of CPU,
// which is part of the digest.

// The files of a built graph.
const (
	graphFile      = "graph.onnx"
	weightsOfGraph = "graph.weights"
)

// minBuiltSize is the smallest size of a checkpoint whose graphs are cached. Tests lower
// it.
var minBuiltSize int64 = 64 << 20

// session loads a graph, from the cache if the model is large enough.
func (m *Model) session(n *net) (*ort.Session, error) {
	o := ort.Options{
		Threads: m.options.Threads, Device: m.options.Device, DeviceOptions: m.options.DeviceOptions,
		BFloat16: n.bfloat, Log: m.options.Log,
	}
	if m.options.Precision == Int8 || m.options.Precision == BFloat16 {
		o.Device = ort.CPU // auto: only the CPU supports these precisions
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
		// With a full disk or a cache that cannot be written the model still works:
		// the graph then contains all weights, which takes more memory.
		m.options.Log.Warn("a built graph cannot be cached", "graph", n.Name(), "err", err)
		n.inline = true
	}
	graph, err := n.Marshal()
	if err != nil {
		return nil, err
	}
	return ort.NewSession(n.Name(), graph, n.Inputs(), n.Outputs(), o)
}

// openBuilt loads a graph from the cache. A graph that cannot be loaded or has another
// checksum is damaged, and is built again.
func (m *Model) openBuilt(n *net, o ort.Options) (s *ort.Session, err error) {
	for range 2 {
		dir, e := m.builtDir(n)
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
		m.options.Log.Warn("a cached graph cannot be used and is built again", "graph", n.Name(), "err", err)
		if e := os.RemoveAll(dir); e != nil {
			return nil, errors.Join(err, e)
		}
	}
	return nil, err
}

// builtDir returns the folder of a graph in the cache. It builds the graph if it is not
// there.
func (m *Model) builtDir(n *net) (dir string, err error) {
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
	if isComplete(dir) {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	m.options.Log.Info("preparing the model for this machine, once; later starts are faster", "model", m.name, "graph", n.Name(), "precision", n.precision)
	if err := n.writeBuilt(graph, home, dir); err != nil {
		return "", err
	}
	removeOlder(home, kind, dir)
	return dir, nil
}

// writeBuilt writes a graph and its weights to a temporary folder and renames it. Of two
// processes that build at the same time the first one wins.
func (n *net) writeBuilt(graph []byte, home, dir string) error {
	sweep(home)
	part, err := atomicfile.CreateFolder(dir, atomicfile.Options{})
	if errors.Is(err, atomicfile.ErrExists) && isComplete(dir) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("failed to cache %s: %w", n.Name(), err)
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
		return fmt.Errorf("failed to cache %s: %w", n.Name(), err)
	}
	if err := part.Commit(); err != nil && !isComplete(dir) {
		return fmt.Errorf("failed to cache %s: %w", n.Name(), err)
	}
	return nil
}

// removeOlder removes other versions of the same graph. A process that has one mapped
// can use it until it ends.
func removeOlder(home, kind, keep string) {
	old, _ := filepath.Glob(filepath.Join(home, kind+"-*")) // the pattern is well-formed
	for _, dir := range old {
		if dir != keep {
			os.RemoveAll(dir) // a failure only costs disk space
		}
	}
}

// sweep removes temporary folders that killed processes left in the cache. Those of a
// running process are locked. Where locks do not work, and before one is set, the age
// decides.
func sweep(home string) { atomicfile.SweepFolders(home, 24*time.Hour) }

// graphsDir creates the folder of a checkpoint's built graphs.
func graphsDir(sum string) (string, error) {
	cache := ort.CacheDir()
	if cache == "" {
		return "", errors.New("there is no cache folder for built graphs")
	}
	dir := filepath.Join(cache, "graphs", sum[:16])
	return dir, os.MkdirAll(dir, 0o777)
}

// selfTestFile is the file with the result of a checkpoint's self-test.
func selfTestFile(cache, sum string) string {
	return filepath.Join(cache, "selftests", sum[:16]+".json")
}

// SelfTestFile is the file in the cache where package selftest saves its result for the
// model; [Remove] removes it. It is empty for a model in memory, and if there is no
// cache.
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

// removeBuilt removes everything that was cached for a checkpoint.
func removeBuilt(sum string) error {
	cache := ort.CacheDir()
	if cache == "" {
		return nil
	}
	var errs []error
	for _, file := range []string{textCachePath(cache, sum), selfTestFile(cache, sum)} {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errors.Join(errs...), os.RemoveAll(filepath.Join(cache, "graphs", sum[:16])))
}
