package rate

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/carve-video/carve/models"
)

// A Comparison compares a function with its matrix products, run on their own in the
// same runtime. A round runs all of them one after the other, so that they meet the
// same conditions: on a shared machine the speed of a product may double within an
// hour, while the ratio stays.
type Comparison struct {
	bares []*bare
	warm  bool // the first round, with its one-time work, is over
	whole []time.Duration
	parts [][]time.Duration
}

// New prepares the products for this many threads; 0 is all cores. A product that
// occurs several times is run once.
func New(products []models.Product, threads int) (*Comparison, error) {
	c := &Comparison{}
	for _, p := range merge(products) {
		b, err := newBare(p, threads)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.bares = append(c.bares, b)
	}
	c.parts = make([][]time.Duration, len(c.bares))
	return c, nil
}

// merge adds up the counts of equal products, and leaves out those with a count of 0.
func merge(products []models.Product) []models.Product {
	var merged []models.Product
	for _, p := range products {
		if p.Count == 0 {
			continue
		}
		i := slices.IndexFunc(merged, func(q models.Product) bool {
			q.Count = p.Count
			return q == p
		})
		if i < 0 {
			merged = append(merged, p)
			continue
		}
		merged[i].Count += p.Count
	}
	return merged
}

// Round times f and each product. The first round does not count.
func (c *Comparison) Round(ctx context.Context, f func(context.Context) error) error {
	whole, err := timed(ctx, f)
	if err != nil {
		return err
	}
	parts := make([]time.Duration, len(c.bares))
	for i, b := range c.bares {
		// The fastest of three in a row, with warm caches.
		for k := range 3 {
			d, err := timed(ctx, b.run)
			if err != nil {
				return err
			}
			if k == 0 || d < parts[i] {
				parts[i] = d
			}
		}
	}
	if !c.warm {
		c.warm = true
		return nil
	}
	c.whole = append(c.whole, whole)
	for i, d := range parts {
		c.parts[i] = append(c.parts[i], d)
	}
	return nil
}

func timed(ctx context.Context, f func(context.Context) error) (time.Duration, error) {
	from := time.Now()
	err := f(ctx)
	return time.Since(from), err
}

// A Result is the result of a comparison, by medians over its rounds.
type Result struct {
	Seconds    float64 // of the function
	Operations float64 // of its products
	Bare       float64 // seconds of its products on their own
	Parts      []Part
}

// A Part is one product.
type Part struct {
	models.Product
	Seconds float64 // a single run
}

// Share returns the share of the bare rate that was reached, 0 without products.
func (r Result) Share() float64 { return r.Bare / r.Seconds }

// Rate returns the bare rate in operations a second, 0 without products.
func (r Result) Rate() float64 {
	if r.Bare == 0 {
		return 0
	}
	return r.Operations / r.Bare
}

// Result returns the result. It needs at least two rounds.
func (c *Comparison) Result() Result {
	r := Result{Seconds: Median(c.whole).Seconds()}
	for i, b := range c.bares {
		p := Part{b.Product, Median(c.parts[i]).Seconds()}
		r.Parts = append(r.Parts, p)
		r.Operations += p.Operations()
		r.Bare += p.Seconds * float64(p.Count)
	}
	return r
}

// Close frees the sessions of the products.
func (c *Comparison) Close() error {
	var err error
	for _, b := range c.bares {
		err = errors.Join(err, b.close())
	}
	return err
}

// Median returns the median, the upper one for an even number of times.
func Median(d []time.Duration) time.Duration {
	d = slices.SortedFunc(slices.Values(d), cmp.Compare)
	return d[len(d)/2]
}
