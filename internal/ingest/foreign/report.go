package foreign

import "sort"

// Report is what a stream met, apart from events.
type Report struct {
	Formats         []string `json:"formats"`
	Rows            int      `json:"rows"`
	Skipped         int      `json:"skipped"`      // rows that the mapping says are no accesses
	Duplicates      int      `json:"duplicates"`   // rows that stood there before, byte by byte; they are told to Reject too
	PutInOrder      int      `json:"put_in_order"` // rows that came up to five minutes late
	OutOfOrder      int      `json:"out_of_order"` // rows that came later than that; they are judged at the time of the row before
	ClockFaults     int      `json:"clock_faults"` // rows dated days ahead of those around them; judged at the time of the row before
	ClockFaultsAt   []Place  `json:"clock_faults_at,omitempty"`
	AmbiguousTimes  int      `json:"ambiguous_times"` // in the hour that autumn repeats
	MissingTimes    int      `json:"missing_times"`   // in the hour that spring leaves out
	UnknownPeople   int      `json:"unknown_people"`  // whom the context does not know; each keeps a reference of its own
	UnknownPatients int      `json:"unknown_patients"`
	UnknownActs     []Word   `json:"unknown_acts"` // words for an act that the mapping does not know, taken for reads; the most frequent first
	MoreActs        int      `json:"more_unknown_acts,omitempty"`
	Notes           []string `json:"notes,omitempty"`

	words map[string]int
	reads int
}

// Word is a word for an act and how many rows have it.
type Word struct {
	Word string `json:"word"`
	Rows int    `json:"rows"`
}

const mostWords = 500

func (r *Report) unknown(word string) {
	if _, ok := r.words[word]; !ok && len(r.words) >= mostWords {
		r.MoreActs++
		return
	}
	if r.words == nil {
		r.words = map[string]int{}
	}
	r.words[string([]byte(word))]++
}

func (r *Report) finish() {
	r.UnknownActs = make([]Word, 0, len(r.words))
	for w, n := range r.words {
		r.UnknownActs = append(r.UnknownActs, Word{w, n})
	}
	sort.Slice(r.UnknownActs, func(i, j int) bool {
		a, b := r.UnknownActs[i], r.UnknownActs[j]
		return a.Rows > b.Rows || a.Rows == b.Rows && a.Word < b.Word
	})
}
