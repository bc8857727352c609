package bpe

import "container/heap"

// A joint is a place where two neighbours may be merged.
type joint struct {
	rank int // of the pair
	at   int // position of the left neighbour
}

// joints are a heap ordered by the rank of the pair, and then from the left.
type joints []joint

func (j joints) Len() int { return len(j) }
func (j joints) Less(a, b int) bool {
	return j[a].rank < j[b].rank || j[a].rank == j[b].rank && j[a].at < j[b].at
}
func (j joints) Swap(a, b int) { j[a], j[b] = j[b], j[a] }
func (j *joints) Push(x any)   { *j = append(*j, x.(joint)) }
func (j *joints) Pop() any {
	last := len(*j) - 1
	x := (*j)[last]
	*j = (*j)[:last]
	return x
}

// merge appends the ids of one piece. A piece may be as long as the text, so the best
// pair is taken from a heap: the time is linear-logarithmic in the length, not
// quadratic.
func (t *Tokenizer) merge(ids []int32, piece string) []int32 {
	n := len(piece)
	parts := make([]string, n) // those merged into their left neighbour are empty
	left, right := make([]int, n), make([]int, n)
	for i := range n {
		parts[i], left[i], right[i] = string(byteChars[piece[i]]), i-1, i+1
	}
	parts[n-1] += endOfWord
	rank := func(i int) (int, bool) {
		if i < 0 || parts[i] == "" || right[i] == n {
			return 0, false
		}
		r, ok := t.ranks[pair{parts[i], parts[right[i]]}]
		return r, ok
	}
	var queue joints
	look := func(i int) {
		if r, ok := rank(i); ok {
			heap.Push(&queue, joint{r, i})
		}
	}
	for i := range n {
		look(i)
	}
	for len(queue) > 0 {
		// All places of the best pair, from the left. New pairs wait until these are
		// done, as in the original.
		best := queue[0].rank
		var joined []int
		for len(queue) > 0 && queue[0].rank == best {
			i := heap.Pop(&queue).(joint).at
			if r, ok := rank(i); !ok || r != best {
				continue // a neighbour has been merged meanwhile
			}
			j := right[i]
			parts[i] += parts[j]
			parts[j], right[i] = "", right[j]
			if right[i] < n {
				left[right[i]] = i
			}
			joined = append(joined, i)
		}
		for _, i := range joined {
			look(left[i])
			look(i)
		}
	}
	for i := 0; i < n; i = right[i] {
		ids = append(ids, t.ids[parts[i]]) // New has checked that all are there
	}
	return ids
}
