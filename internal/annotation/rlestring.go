package annotation

import (
	"errors"
	"fmt"
	"math"
)

// The string form of run lengths packs a number into characters of five bits each, the
// lowest bits first. A sixth bit tells that more follow; the highest of the last five
// is the sign. 48, the character 0, is added to keep the text printable. From the
// fourth run on the number is the difference to the run two before, the last of the
// same kind, which is small for most shapes.
const (
	rleBase  = 48
	rleMore  = 0x20 // another character follows
	rleSign  = 0x10 // of the last character: the number is negative
	rleDigit = 0x1f
	rleBits  = 5
	rleMax   = 7 // characters of one number: 35 bits hold any difference of two uint32
)

// CountsString returns the string form of the counts.
func (r RLE) CountsString() string {
	var out []byte
	for i, n := range r.Counts {
		v := int64(n)
		if i > 2 {
			v -= int64(r.Counts[i-2])
		}
		for more := true; more; {
			c := byte(v & rleDigit)
			v >>= rleBits
			more = v != 0 && v != -1 || v == 0 && c&rleSign != 0 || v == -1 && c&rleSign == 0
			if more {
				c |= rleMore
			}
			out = append(out, c+rleBase)
		}
	}
	return string(out)
}

// ParseCounts reads the string form. The result takes at most four bytes for each byte
// of the string.
func ParseCounts(s string) ([]uint32, error) {
	var counts []uint32
	for at := 0; at < len(s); {
		start := at
		v := int64(0)
		for k := 0; ; k++ {
			if at == len(s) {
				return nil, errors.New("run lengths end in the middle of a number")
			}
			c := s[at] - rleBase // wraps around for smaller characters
			if c >= rleMore<<1 {
				return nil, fmt.Errorf("run lengths have the character %q at %d", s[at], at)
			}
			if k == rleMax {
				return nil, fmt.Errorf("run lengths have a number that is too long at %d", start)
			}
			at++
			v |= int64(c&rleDigit) << (rleBits * k)
			if c&rleMore == 0 {
				if c&rleSign != 0 {
					v -= 1 << (rleBits * (k + 1))
				}
				break
			}
		}
		if n := len(counts); n > 2 {
			v += int64(counts[n-2])
		}
		if v < 0 || v > math.MaxUint32 {
			return nil, fmt.Errorf("run lengths have %d pixels at %d", v, start)
		}
		counts = append(counts, uint32(v))
	}
	return counts, nil
}
