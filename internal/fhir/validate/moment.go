package validate

// moment checks a date, dateTime or instant and gives the mend; "" when it is right. A dateTime with a time has seconds and a zone;
// days that the calendar does not have are refused; a leap second is allowed.
func moment(typ, s string) string {
	const date, full = "this is not a date: write YYYY, YYYY-MM or YYYY-MM-DD", "this is not a time stamp: write YYYY-MM-DDThh:mm:ss and a zone such as Z or +01:00"
	mend := full
	if typ == "date" {
		mend = date
	}
	year, ok := number(s, 0, 4)
	if !ok || year == 0 {
		return mend
	}
	if len(s) == 4 {
		return partial(typ, mend)
	}
	month, ok := number(s, 5, 2)
	if !ok || s[4] != '-' || month < 1 || month > 12 {
		return mend
	}
	if len(s) == 7 {
		return partial(typ, mend)
	}
	day, ok := number(s, 8, 2)
	if !ok || s[7] != '-' || day < 1 || day > days(year, month) {
		return mend
	}
	if len(s) == 10 {
		return partial(typ, mend)
	}
	if typ == "date" || s[10] != 'T' {
		return mend
	}
	n := clock(s[11:])
	if n == 0 || !zone(s[11+n:]) {
		return mend
	}
	return ""
}

// partial is the mend of a date without time: an instant must have one.
func partial(typ, mend string) string {
	if typ == "instant" {
		return mend
	}
	return ""
}

// number reads n digits at s[at:].
func number(s string, at, n int) (value int, ok bool) {
	if len(s) < at+n {
		return 0, false
	}
	for _, c := range []byte(s[at : at+n]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		value = value*10 + int(c-'0')
	}
	return value, true
}

func days(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// clock measures hh:mm:ss with an optional fraction at the start of s; 0 if there is none.
func clock(s string) int {
	hour, ok1 := number(s, 0, 2)
	minute, ok2 := number(s, 3, 2)
	second, ok3 := number(s, 6, 2)
	if !ok1 || !ok2 || !ok3 || s[2] != ':' || s[5] != ':' || hour > 23 || minute > 59 || second > 60 {
		return 0
	}
	n := 8
	if len(s) > n && s[n] == '.' {
		fraction := digitsAt(s[n+1:])
		if fraction == 0 {
			return 0
		}
		n += 1 + fraction
	}
	return n
}

func zone(s string) bool {
	if s == "Z" {
		return true
	}
	hour, ok1 := number(s, 1, 2)
	minute, ok2 := number(s, 4, 2)
	return ok1 && ok2 && len(s) == 6 && (s[0] == '+' || s[0] == '-') && s[3] == ':' && minute < 60 && (hour < 14 || hour == 14 && minute == 0)
}
