package care

import (
	"context"

	"chartwarden/internal/fhir"
)

// togetherQuery is [workforceQuery] and what [relationQuery] gives of one patient ?4, in one question: on an engine behind a socket each
// question costs more than what it reads. ?5 is the person. The names are found by rows that may not hold, and on shift or
// not, so some of the patient's rows may concern somebody else: [collapse] takes in only what concerns her, whatever it is given.
var togetherQuery = workforceQuery + `
union all
select ` + columnsOf("r") + ` from (select cast(0 as bigint) as k union select cast(?5 as bigint) union select k from me union select place from hers) as names cross join care_edge r
  where r.patient=?4 and r.actor=names.k and r.until>cast(?2 as bigint)-7776000000 and r.known<=?3 and r.closed>?2`

// together is one patient's rows that came along with a person's own.
type together struct {
	patient fhir.PatientID
	came    *remembered // nil: her own were remembered, so nothing was asked
}

// ask reads what m stands for, and what it is asked together with.
func (g *Graph) ask(ctx context.Context, with *together, m *remembered, me, person int64) error {
	rows, err := g.query(ctx, "care: relate", g.read.together, me, m.from, m.to, int64(with.patient), person)
	if err != nil {
		return err
	}
	came := *m
	for _, r := range rows {
		if r.patient == 0 {
			m.rows = append(m.rows, r)
		} else {
			came.rows = append(came.rows, r)
		}
	}
	with.came = &came
	return nil
}
