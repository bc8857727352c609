package car

// A Trace holds the intermediate values of one stage, for tests and to explain why a
// query was kept. Lists run over the queries in Evaluated; patch maps have rows×cols
// values.
type Trace struct {
	Pass      string
	Stage     int
	Evaluated []int

	// Of the proposer. Logits and Probabilities are of the query itself, then of the
	// other queries that compete with it, in order, then of the background.
	Logits, Probabilities [][]float64
	Raw                   [][]float32 // Y·w, before ReLU
	Retried               []bool      // computed again without the background
	Maps                  [][]float32 // after ReLU and min-max
	Inside                [][]float32 // 1 inside the boxes
	Affine                [][]float32 // A·(inside·map)
	Refined               [][]float32 // after min-max
	Proposals             []Proposal

	// Of the judge; empty where a text was alone.
	Areas      []int  // pixels of the masks
	Prompted   []bool // false: the image was left unprompted
	Inputs     []JudgeInput
	Vectors    [][]float32
	ByTemplate [][][]float64 // of each proposal, per template, over all texts: P
	Shares     [][]float64   // of each proposal, over all texts: S
}

// JudgeInput is one input of the judge: the prompted image, and its crop at the
// judge's size. Of equal inputs only the first is set.
type JudgeInput struct{ Prompted, Input *Image }

func newTrace(p *pass, stage int, evaluated []int) *Trace {
	return &Trace{Pass: p.name, Stage: stage, Evaluated: evaluated, Inputs: make([]JudgeInput, len(evaluated))}
}

// scratch is memory that proposing and judging reuse.
type scratch struct {
	blur          []uint16
	boxed, inside []float32
	boxFinder     boxFinder
	competitors   [][]float32
	masks         [][]uint8
	inputs        []*Image
	workers       []*workerScratch
}
