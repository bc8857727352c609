package ui

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	var b strings.Builder
	table := NewTable("object", "J")
	table.Add("größe", "–")
	table.Add("x", "0.500")
	if err := table.Write(&b); err != nil || b.String() != "object      J\ngröße       –\nx       0.500\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}
