// Package spelling finds the known word that a mistyped one probably stands for.
package spelling

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the known word that is nearest to word; ok is false if none is near.
// Case does not matter. Of several equally near words it is the first.
func Nearest(word string, known []string) (meant string, ok bool) {
	word = strings.ToLower(word)
	length := utf8.RuneCountInString(word)
	if length < 2 || length > maxLength {
		return "", false
	}
	// One mistake in three letters is a typing error, two in three make another word.
	best := max(length/3, 1) + 1
	for _, k := range known {
		lower := strings.ToLower(k)
		if n := utf8.RuneCountInString(lower); n > maxLength || n-length >= best || length-n >= best {
			continue
		}
		if d := Distance(word, lower); d < best && d < length {
			meant, ok, best = k, true, d
		}
	}
	return meant, ok
}

// maxLength bounds the work for words that cannot be names.
const maxLength = 64

// Distance is the number of mistakes that turn one word into the other: missing,
// additional and wrong letters, and swapped neighbours. It is the optimal string
// alignment distance.
func Distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	// Three rows of the table are enough: the current one and the two above it.
	two, one, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			wrong := 1
			if s[i-1] == t[j-1] {
				wrong = 0
			}
			row[j] = min(one[j]+1, row[j-1]+1, one[j-1]+wrong)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], two[j-2]+1)
			}
		}
		two, one, row = one, row, two
	}
	return one[len(t)]
}
