package strictyaml

import (
	"flag"
	"testing"

	"github.com/carve-video/carve/internal/hostile"
)

// hostileSize is another size to try. Texts just within all bounds take the longest, for
// most at about 300 KB.
var hostileSize = flag.Int("hostile", 0, "another size of hostile texts that is tried, in bytes")

// Every text is refused or read in little time and memory.
func TestHostile(t *testing.T) {
	sizes := []int{Limit, 48 << 10}
	if testing.Short() {
		sizes = []int{128 << 10}
	}
	if *hostileSize > 0 {
		sizes = append(sizes, *hostileSize)
	}
	for _, size := range sizes {
		hostile.Usual.Hold(t, hostile.YAML(size), func(text string) error {
			var v any
			return Decode([]byte(text), &v)
		})
	}
}
