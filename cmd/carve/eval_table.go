package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/printable"
)

// A table is columns of text under a head: the first one, of names, is aligned
// to the left, the others, of figures, to the right.
type table struct{ rows [][]string }

func newTable(head ...string) *table { return &table{[][]string{head}} }

// add takes in a row, names of others among it.
func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = printable.Text(cells[i])
	}
	t.rows = append(t.rows, cells)
}

func (t *table) write(w io.Writer) error {
	return t.lines(w, "", "  ", "")
}

// markdown writes the table as Markdown has them, with a line below the head.
func (t *table) markdown(w io.Writer) error {
	rule := make([]string, len(t.rows[0]))
	for i, width := range t.widths() {
		rule[i] = strings.Repeat("-", width)
		if i > 0 {
			rule[i] = rule[i][1:] + ":" // to the right
		}
	}
	ruled := table{append([][]string{t.rows[0], rule}, t.rows[1:]...)}
	return ruled.lines(w, "| ", " | ", " |")
}

// widths are those of the columns, in characters.
func (t *table) widths() []int {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

func (t *table) lines(w io.Writer, left, between, right string) error {
	widths := t.widths()
	var b strings.Builder
	for _, row := range t.rows {
		b.WriteString(left)
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString(cell + pad)
			} else {
				b.WriteString(between + pad + cell)
			}
		}
		b.WriteString(right + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// A figure is a measure, which is not a number where there was nothing to
// measure: – in a table, null in JSON.
type figure float64

func (f figure) String() string {
	if math.IsNaN(float64(f)) {
		return "–"
	}
	return strconv.FormatFloat(float64(f), 'f', 3, 64)
}

// MarshalJSON implements [json.Marshaler].
func (f figure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON implements [json.Unmarshaler]: null is no number.
func (f *figure) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = figure(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}

// figures are the cells of a row.
func figures(values ...float64) []string {
	var cells []string
	for _, v := range values {
		cells = append(cells, figure(v).String())
	}
	return cells
}

// writeJSONLine prints one object of --json.
func writeJSONLine(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", line)
	return err
}
