package ui

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// HelpWidth is how many characters a line of help has at most: what every terminal has.
const HelpWidth = 80

// Hanging sets a text behind its head, in lines that begin in one column and are
// [HelpWidth] wide at most.
func Hanging(head string, column int, text string) string {
	var b strings.Builder
	for _, line := range Wrap(text, HelpWidth-column) {
		fmt.Fprintf(&b, "%-*s%s\n", column, head, strings.TrimRight(line, " "))
		head = ""
	}
	return b.String()
}

// Wrap breaks a text between words into lines of a width at most. A word that is
// longer, a path, has a line of its own.
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
