package ui

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// HelpWidth is the maximal width of a line of help, which every terminal has.
const HelpWidth = 80

// Hanging puts a text after its head, in lines that start at the same column and are at
// most [HelpWidth] wide.
func Hanging(head string, column int, text string) string {
	var b strings.Builder
	for _, line := range Wrap(text, HelpWidth-column) {
		fmt.Fprintf(&b, "%-*s%s\n", column, head, strings.TrimRight(line, " "))
		head = ""
	}
	return b.String()
}

// Wrap breaks a text between words into lines of at most this width. A longer word,
// such as a path, gets its own line.
func Wrap(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.SplitAfter(text, " ") {
		last := &lines[len(lines)-1]
		if *last != "" && utf8.RuneCountInString(*last+strings.TrimRight(word, " ")) > width {
			*last = strings.TrimRight(*last, " ")
			lines = append(lines, word)
			continue
		}
		*last += word
	}
	return lines
}
