package web

import "time"

// Feed is how the log of a watched system comes.
type Feed struct {
	Files       []FeedFile // the newest first
	Came        time.Time  // when something last came; zero: never
	Newest      time.Time  // of all accesses that were judged
	Judged      int
	Rejected    int           // lines that are none
	Silent      time.Duration // for how long nothing came, when that is too long; 0: it is not
	Trouble     string        // why files or context are not read to their end; empty: they are
	Duplicates  int
	ClockFaults int
	OutOfOrder  int
	People      int // whom the context does not know
	Patients    int
	Acts        int            // words for what was done that the mapping does not know
	Context     []RejectedLine // of the context, the first
	Refused     int64          // messages of the network that were none
	Dropped     int64          // for which there was no room
}

// FeedFile is one file of it.
type FeedFile struct {
	Name, Form string
	Came       time.Time
	Newest     time.Time // of its accesses; zero: none was judged by this process
	Lines      int
	Judged     int
	Rejected   int
	Some       []RejectedLine // the first
	Trouble    string         // why it, or the rest of it, is not taken
}

// RejectedLine is a line that is none, and why; nothing of it.
type RejectedLine struct {
	File string
	Line int
	Why  string
}
