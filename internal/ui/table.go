package ui

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/printable"
)

// A Table has columns of text under a header. The first column, of names, is aligned to
// the left, the others, of figures, to the right.
type Table struct{ rows [][]string }

// NewTable begins a table with the names of its columns.
func NewTable(head ...string) *Table { return &Table{[][]string{head}} }

// Add adds a row. Cells may hold foreign names.
func (t *Table) Add(cells ...string) {
	for i := range cells {
		cells[i] = printable.Text(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// Write writes the table as text.
func (t *Table) Write(w io.Writer) error {
	return t.lines(w, "", "  ", "")
}

// Markdown writes the table in Markdown, with a line below the header.
func (t *Table) Markdown(w io.Writer) error {
	rule := make([]string, len(t.rows[0]))
	for i, width := range t.widths() {
		rule[i] = strings.Repeat("-", width)
		if i > 0 {
			rule[i] = rule[i][1:] + ":" // aligned to the right
		}
	}
	ruled := Table{append([][]string{t.rows[0], rule}, t.rows[1:]...)}
	return ruled.lines(w, "| ", " | ", " |")
}

// widths returns the widths of the columns in characters.
func (t *Table) widths() []int {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

func (t *Table) lines(w io.Writer, left, between, right string) error {
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
