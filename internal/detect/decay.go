package detect

const day = int64(86400)

// The decay of an explanation is learned by the age of its fact, in these buckets of days.
const buckets = 4

func bucket(age int64) int {
	switch {
	case age < 2*day:
		return 0
	case age < 8*day:
		return 1
	case age < quietDays*day:
		return 2
	}
	return 3
}

// quietDays is from when on a longer age says nothing more.
const quietDays = 31
