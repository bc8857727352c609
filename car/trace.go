package car

// A Trace is the inside of one stage, for tests and for people who want to see
// why something was kept. Lists run over the queries asked, in order; patch maps
// have rows×cols values.
type Trace struct {
	Pass      string
	Stage     int
	Evaluated []int

	// The proposer. Rivals begin with the query itself, then the others of the
	// set in order, then the background.
	Logits, Probabilities [][]float64
	Raw                   [][]float32 // Y·w, before ReLU
	Retried               []bool      // without the background
	Maps                  [][]float32 // after ReLU and min-max
	Inside                [][]float32 // 1 inside the boxes
	Affine                [][]float32 // A·(inside·map)
	Refined               [][]float32 // after min-max
	Proposals             []Proposal

	// The judge; empty where a text was alone.
	Areas      []int  // pixels of the masks shown
	Prompted   []bool // false: the picture as it is
	Inputs     []JudgeInput
	Vectors    [][]float32
	ByTemplate [][][]float64 // of each proposal, per template, among the rivals: P
	Shares     [][]float64   // of each proposal among the rivals: S
}

// Shown is what the judge was shown: the prompted picture, and what became of
// it at the judge's size. Only the first of equal ones is made.
type JudgeInput struct{ Prompted, Input *Image }

func newTrace(p *pass, stage int, asked []int) *Trace {
	return &Trace{Pass: p.name, Stage: stage, Evaluated: asked, Inputs: make([]JudgeInput, len(asked))}
}

// scratch is memory that the proposing and judging half uses again.
type scratch struct {
	blur          []uint16
	boxed, inside []float32
	boxer         boxer
	competitors   [][]float32
	masks         [][]uint8
	inputs        []*Image
	workers       []*workerScratch
}
