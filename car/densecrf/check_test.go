package densecrf

import (
	"math"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	if err := Reference().Check(); err != nil {
		t.Error(err)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for want, change := range map[string]func(*Params){
		"iterations is -1":        func(p *Params) { p.Iterations = -1 },
		"settled is -1":           func(p *Params) { p.Settled = -1 },
		"settled is NaN":          func(p *Params) { p.Settled = nan },
		"threads is -2":           func(p *Params) { p.Threads = -2 },
		"gaussian_sxy is 0":       func(p *Params) { p.GaussianSXY = 0 },
		"bilateral_sxy is NaN":    func(p *Params) { p.BilateralSXY = nan },
		"bilateral_srgb is +Inf":  func(p *Params) { p.BilateralSRGB = inf },
		"gaussian_compat is -3":   func(p *Params) { p.GaussianCompat = -3 },
		"bilateral_compat is NaN": func(p *Params) { p.BilateralCompat = nan },
	} {
		p := Reference()
		change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
