package evaluate

import (
	"slices"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/dataset"
)

// TestQueries: queries shared by all samples, such as classes, are listed once.
func TestQueries(t *testing.T) {
	classes := []car.Query{car.Named("dog"), car.Named("car")}
	other := []car.Query{car.Named("bee")}
	var got []string
	for _, q := range Queries([]*dataset.Sample{{Queries: classes}, {Queries: classes}, {Queries: other}, {Queries: other}, {}, {Queries: classes}}) {
		got = append(got, q.Label)
	}
	if want := []string{"dog", "car", "bee", "dog", "car"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
