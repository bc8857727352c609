package models

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carve-video/carve/internal/hostile"
	"github.com/carve-video/carve/internal/tensor"
	"github.com/carve-video/carve/models/demo"
)

// A mutant is a model folder with a defect. Folders start as links to the files of the
// embedded model.
type mutant struct {
	name string
	make func(t *testing.T, dir string)
}

// demoFiles are the files of the embedded model.
var demoFiles = []string{configFile, "preprocessor_config.json", "vocab.json", "merges.txt", weightsFile}

func demoFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := fs.ReadFile(demo.FS, name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put replaces a file of a folder.
func put(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	os.RemoveAll(path)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// mutants returns all mutants; more is the number of random ones of each kind.
func mutants(t *testing.T, more int) []mutant {
	return slices.Concat(mutantConfigs(), mutantKinds(), mutantText(t, more), mutantWeights(t, more), mutantTensors(t), mutantArchives(t))
}

// mutantConfigs have every number of the config out of range in every way.
func mutantConfigs() (all []mutant) {
	sizes := []string{"hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers", "layer_norm_eps"}
	fields := map[string][]string{
		"":              {"projection_dim"},
		"text_config":   append([]string{"max_position_embeddings", "vocab_size"}, sizes...),
		"vision_config": append([]string{"image_size", "patch_size", "num_channels"}, sizes...),
	}
	for _, part := range slices.Sorted(maps.Keys(fields)) {
		for _, field := range fields[part] {
			for _, v := range []string{"0", "-1", "1048576", "2147483648", "4611686018427387904", "1e300", `"8"`} {
				all = append(all, mutant{fmt.Sprintf("%s.%s is %s", part, field, v), func(t *testing.T, dir string) {
					var c map[string]any
					if err := json.Unmarshal(demoFile(t, configFile), &c); err != nil {
						t.Fatal(err)
					}
					in := c
					if part != "" {
						in = c[part].(map[string]any)
					}
					in[field] = json.RawMessage(v)
					b, err := json.Marshal(c)
					if err != nil {
						t.Fatal(err)
					}
					put(t, dir, configFile, b)
				}})
			}
		}
	}
	return all
}

// mutantKinds have another kind of file in place of every file that is read.
func mutantKinds() (all []mutant) {
	prepare := map[string]string{ // files to remove so that this one is read
		weightsFile + ".index.json": weightsFile, "pytorch_model.bin": weightsFile, openCLIPFile: configFile,
	}
	files := append([]string{manifestFile, weightsFile + ".index.json", "pytorch_model.bin", openCLIPFile}, demoFiles...)
	for _, file := range files {
		for kind, make := range map[string]func(path string) error{
			"a link to /dev/zero": func(path string) error { return os.Symlink("/dev/zero", path) },
			"a link to itself":    func(path string) error { return os.Symlink(filepath.Base(path), path) },
			"a pipe":              func(path string) error { return syscall.Mkfifo(path, 0o666) },
			"a folder":            func(path string) error { return os.Mkdir(path, 0o777) },
			"empty":               func(path string) error { return os.WriteFile(path, nil, 0o666) },
			"a terabyte": func(path string) error {
				return errors.Join(os.WriteFile(path, nil, 0o666), os.Truncate(path, 1<<40))
			},
			"an open bracket":   func(path string) error { return os.WriteFile(path, []byte("["), 0o666) },
			"100 KB of bracket": func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("["), 100_000), 0o666) },
		} {
			all = append(all, mutant{file + " is " + kind, func(t *testing.T, dir string) {
				if p := prepare[file]; p != "" {
					os.Remove(filepath.Join(dir, p))
				}
				os.Remove(filepath.Join(dir, file))
				if err := make(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
			}})
		}
	}
	slices.SortFunc(all, func(a, b mutant) int { return strings.Compare(a.name, b.name) })
	return all
}

// mutantText have one damaged text file each.
func mutantText(t *testing.T, more int) (all []mutant) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, file := range demoFiles[:4] {
		whole := demoFile(t, file)
		add := func(name string, b []byte) {
			all = append(all, mutant{file + " " + name, func(t *testing.T, dir string) { put(t, dir, file, b) }})
		}
		add("cut", whole[:len(whole)/2])
		add("twice over", append(bytes.Clone(whole), whole...))
		for i := range more {
			b := bytes.Clone(whole)
			at := rng.IntN(len(b))
			b[at] ^= byte(1 << rng.IntN(8))
			add(fmt.Sprintf("bit %d", i), b)
		}
	}
	many := func(n int) []byte { // tokens, of a few bytes each
		var b bytes.Buffer
		b.WriteString("{")
		for i := range n {
			fmt.Fprintf(&b, `"%x":%d,`, i, i%2560)
		}
		b.WriteString(`"x":0}`)
		return b.Bytes()
	}
	for name, b := range map[string][]byte{
		"negative ids":          bytes.Replace(demoFile(t, "vocab.json"), []byte(`: 7,`), []byte(`: -7,`), 1),
		"huge ids":              bytes.Replace(demoFile(t, "vocab.json"), []byte(`: 7,`), []byte(`: 2147483647,`), 1),
		"half a million tokens": many(500_000),
	} {
		all = append(all, mutant{"vocab.json with " + name, func(t *testing.T, dir string) { put(t, dir, "vocab.json", b) }})
	}
	line := append([]byte("#version: 0.2\n"), bytes.Repeat([]byte("a"), 100_000)...)
	return append(all, mutant{"merges.txt of one line", func(t *testing.T, dir string) { put(t, dir, "merges.txt", line) }})
}

// mutantWeights have a damaged file of weights, mostly in its header.
func mutantWeights(t *testing.T, more int) (all []mutant) {
	rng := rand.New(rand.NewPCG(2, 2))
	whole := demoFile(t, weightsFile)
	head := 8 + int(binary.LittleEndian.Uint64(whole))
	add := func(name string, change func(b []byte) []byte) {
		all = append(all, mutant{"weights: " + name, func(t *testing.T, dir string) {
			put(t, dir, weightsFile, change(bytes.Clone(whole)))
		}})
	}
	for _, n := range []uint64{0, 1, uint64(head) - 9, uint64(head), uint64(len(whole)), 1 << 40, 1 << 63} {
		add(fmt.Sprintf("header of %d", n), func(b []byte) []byte { binary.LittleEndian.PutUint64(b, n); return b })
	}
	for _, n := range []int{1, 7, 8, 9, 1000, head - 1, head, head + 1, len(whole) / 2, len(whole) - 1} {
		add(fmt.Sprintf("%d bytes", n), func(b []byte) []byte { return b[:n] })
	}
	for i := range 3 * more {
		at, bit := rng.IntN(head), rng.IntN(8)
		add(fmt.Sprintf("bit %d of byte %d of the header", bit, at), func(b []byte) []byte { b[at] ^= 1 << bit; return b })
		if i < more {
			at := head + rng.IntN(len(whole)-head-5000)
			add(fmt.Sprintf("zeros from %d", at), func(b []byte) []byte { clear(b[at:][:4096]); return b })
			add(fmt.Sprintf("not numbers from %d", at), func(b []byte) []byte {
				for i := range 8 {
					b[at+i] = 0xff
				}
				return b
			})
		}
	}
	digits := strings.NewReplacer("0", "9", "1", "9", "2", "9")
	add("offsets of nines", func(b []byte) []byte {
		return append(append(bytes.Clone(b[:8]), digits.Replace(string(b[8:head]))...), b[head:]...)
	})
	add("all zero", func(b []byte) []byte { clear(b[head:]); return b })
	add("all not a number", func(b []byte) []byte { copy(b[head:], bytes.Repeat([]byte{0xff}, len(b)-head)); return b })
	return all
}

// mutantTensors have valid files with tensors that no CLIP has.
func mutantTensors(t *testing.T) (all []mutant) {
	path := filepath.Join(t.TempDir(), "demo")
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, path, weightsFile, demoFile(t, weightsFile))
	tensors := readTensors(t, path)
	add := func(name string, change func(x *tensor.Tensor), more ...tensor.Tensor) {
		for _, config := range []bool{true, false} {
			all = append(all, mutant{fmt.Sprintf("tensors: %s, config: %v", name, config), func(t *testing.T, dir string) {
				changed := slices.Clone(tensors)
				for i := range changed {
					change(&changed[i])
				}
				os.Remove(filepath.Join(dir, weightsFile))
				writeSafetensors(t, filepath.Join(dir, weightsFile), append(changed, more...))
				if !config {
					os.Remove(filepath.Join(dir, configFile))
					put(t, dir, openCLIPFile, []byte(`{"model_cfg":{"quick_gelu":true,"vision_cfg":{"head_width":64},"text_cfg":{"heads":2}}}`))
				}
			}})
		}
	}
	sized := func(suffix string, shape ...int) func(x *tensor.Tensor) {
		return func(x *tensor.Tensor) {
			if strings.HasSuffix(x.Name, suffix) {
				x.Shape, x.Data = shape, make([]byte, 2*elements(shape))
			}
		}
	}
	add("a context of 2^20", sized("text_model.embeddings.position_embedding.weight", 1<<20, 1))
	add("a context without width", sized("text_model.embeddings.position_embedding.weight", 1<<40, 0))
	add("an image of 2^20", sized("vision_model.embeddings.position_embedding.weight", 1<<20+1, 1))
	add("an image without width", sized("vision_model.embeddings.position_embedding.weight", 1<<62, 0))
	add("patches of 1000", sized("patch_embedding.weight", 1, 3, 1000, 1000))
	add("a width of 2^20", sized("class_embedding", 1<<20))
	add("no width", sized("class_embedding", 0))
	add("a vocabulary of 2^40", sized("token_embedding.weight", 1<<40, 0))
	add("no sides", sized("class_embedding"))
	var blocks []tensor.Tensor
	for i := 6; i < 40_000; i++ {
		blocks = append(blocks, tensor.Tensor{Name: layerName(visionPrefix, i) + ".layer_norm1.weight", DType: tensor.F16, Shape: []int{0}})
	}
	add("40,000 blocks", func(*tensor.Tensor) {}, blocks...)
	return all
}

// mutantArchives have archives of pickles in place of the weights.
func mutantArchives(t *testing.T) (all []mutant) {
	good := filepath.Join(t.TempDir(), "good.bin")
	dir := filepath.Join(t.TempDir(), "demo")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, dir, weightsFile, demoFile(t, weightsFile))
	writeTorch(t, good, readTensors(t, dir))
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string, b []byte) {
		all = append(all, mutant{"archive: " + name, func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, weightsFile))
			put(t, dir, "pytorch_model.bin", b)
		}})
	}
	full := func(s string) string { return strings.Repeat(s, (4<<20)/len(s)) }
	for name, p := range map[string]string{
		"4 million of nothing":     "(" + full("N") + "t.",
		"empty dicts":              "(" + full("}") + "t.",
		"duplicates":               "]" + full("2") + ".",
		"os.system":                "cposix\nsystem\n(Vls\ntR.",
		"a list in itself":         "]q\x00h\x00a.",
		"a string of 4 GB":         "X\xff\xff\xff\xffabc.",
		"a dict in itself, a dict": "}q\x00X\x01\x00\x00\x00ah\x00s.",
	} {
		add(name, hostile.Zip(t, map[string][]byte{"archive/data.pkl": []byte(p)}))
	}
	for _, n := range []int{1, 100, len(whole) / 2, len(whole) - 10} {
		add(fmt.Sprintf("%d bytes", n), whole[:n])
	}
	at := bytes.Index(whole, []byte("data.pkl")) + 100 // the pickle follows its name
	for i := range 8 {
		b := bytes.Clone(whole)
		b[at+37*i] ^= 0x20
		add(fmt.Sprintf("byte %d of the pickle", i), b)
	}
	slices.SortFunc(all, func(a, b mutant) int { return strings.Compare(a.name, b.name) })
	return all
}

// TestHostileFolders: for any content of a model's folder, opening and running it returns
// soon, takes memory in proportion to the files, and gives an error or a working model.
//
// CARVE_ATTACK=N tests N random mutants of each kind, and runs all roles of each.
func TestHostileFolders(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and no goroutine of its own")
	}
	more := 3
	if n, err := strconv.Atoi(os.Getenv("CARVE_ATTACK")); err == nil && n > more {
		more = n
	}
	base := t.TempDir()
	for _, name := range demoFiles {
		put(t, base, name, demoFile(t, name))
	}
	all := mutants(t, more)
	opened, run := 0, 0
	for _, mut := range all {
		dir := t.TempDir()
		for _, name := range demoFiles {
			if err := os.Symlink(filepath.Join(base, name), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		mut.make(t, dir)
		// The proposer's session takes half of the time and has the same weights.
		roles := "classifier"
		if more > 3 || opened%8 == 0 {
			roles = "proposer, classifier"
		}
		o, r := attack(t, mut.name, dir, roles)
		opened, run = opened+o, run+r
	}
	t.Logf("%d folders tried: %d opened, %d of them work", len(all), opened, run)
	if len(all) < 150 || opened == len(all) || run == 0 {
		t.Errorf("of %d folders %d opened and %d work: the test tries nothing", len(all), opened, run)
	}
}

// The limits of one mutant. An undamaged model takes a fifth of a second and 60 MB.
const (
	attackTime   = 30 * time.Second // on a machine with other load
	attackMemory = 400 << 20        // including garbage
)

func attack(t *testing.T, name, dir, roles string) (opened, run int) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m, err := Open(t.Context(), dir, Options{Threads: 2, Device: "cpu"})
		if err != nil {
			if msg := err.Error(); len(msg) > 2000 || !strings.Contains(msg, dir) {
				t.Errorf("%s: an error of %d bytes: %.300s", name, len(msg), msg)
			}
			return
		}
		opened = 1
		err = m.check(t.Context(), roles)
		var invalid *InvalidModelError
		switch {
		case err == nil:
			run = 1
		case !errors.As(err, &invalid):
			t.Errorf("%s: opened, but: %v", name, err)
		}
		if err := m.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}()
	select {
	case <-done:
	case <-time.After(attackTime):
		t.Fatalf("%s: still running after %v", name, attackTime)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > attackMemory {
		t.Errorf("%s: took %d MB", name, n>>20)
	}
	return opened, run
}
