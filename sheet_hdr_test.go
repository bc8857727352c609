package carve

import (
	"path/filepath"
	"testing"
)

// TestSheetOfHDR: a sheet shows diffuse white as white.
func TestSheetOfHDR(t *testing.T) {
	shot := newSheetShot(t, 64, 36, "dog")
	shot.stream.Info.ColourCurve = "smpte2084"
	path := filepath.Join(t.TempDir(), "sheet.png")
	s := &Sheet{Path: path, Columns: 1, Rows: 1, Width: 64}
	if err := s.Open(t.Context(), shot.stream); err != nil {
		t.Fatal(err)
	}
	shot.write(t, s, 0, 0, 148)
	img := finish(t, s, path)
	if r, g, b, _ := img.At(6+32, 34+18).RGBA(); min(r, g, b)>>8 < 235 || max(r, g, b)>>8 > 250 {
		t.Errorf("white is %d %d %d", r>>8, g>>8, b>>8)
	}
}
