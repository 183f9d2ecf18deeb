package detect

import "math"

// instant is a time of which many are kept: seconds of Unix time in four bytes, from its first day to the year 2106. What lies before is
// kept as the first second, what lies after as the last. 0 is none.
type instant uint32

func instantOf(t int64) instant {
	if t == 0 {
		return 0
	}
	return instant(min(max(t, 1), math.MaxUint32))
}
