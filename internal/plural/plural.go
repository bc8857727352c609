// Package plural writes numbers of things.
package plural

import "strconv"

// Of is a number of things: 1 frame, 2 frames.
func Of(n int, what string) string { return Irregular(n, what, what+"s") }

// Irregular is [Of] for words of another plural: 1 query, 2 queries.
func Irregular(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
