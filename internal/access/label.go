package access

import (
	"context"
	"errors"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Labels are set by rule when a record is stored, carried from version to version, and raised by anybody who may write. Taking one off is
// an act of its own.

// labelling is the job that gives older records the labels that rules say.
const labelling = "label"

// Lower takes sensitivity labels off a record that p is cleared for and treats the patient of. It makes a version, and an entry that
// says so; what rules set does not come back with the same codes.
//
// Errors: those of [Gate.Read]; outcome.Login where a fresher sign-in would do; outcome.Value when the record carries none of them.
func (g *Gate) Lower(ctx context.Context, p Principal, typ, id string, labels []string) (Written, error) {
	p.Glass = ""
	found, err := g.records.Read(ctx, typ, id)
	if outcome.Is(err, outcome.NotFound) {
		return Written{}, g.absent(ctx, p, policy.Lower, labelling, typ, err)
	}
	if outcome.Is(err, outcome.Deleted) {
		return Written{}, g.erased(ctx, p, policy.Lower, labelling, typ, id, err)
	}
	if err != nil {
		return Written{}, err
	}
	if _, _, err := g.admit(ctx, p, policy.Lower, labelling, found); err != nil {
		return Written{}, err
	}
	if !slices.ContainsFunc(labels, func(l string) bool { return slices.Contains(found.Labels(), l) }) {
		return Written{}, outcome.New(outcome.Value, "the record carries none of these labels").At("Parameters.parameter.valueMeta.security")
	}
	return g.writeOne(ctx, p, labelling, record.Write{Op: record.Relabel, Type: typ, ID: id, IfMatch: found.Version(), Lower: labels, Kept: true})
}

// LabelAll gives every record the labels that rules say and that it never carried, as new versions: for what was stored before a rule came
// about. It may be stopped and run again. Done is told how many records were labelled so far. Errors: as [Gate.Import].
func (g *Gate) LabelAll(ctx context.Context, done func(int)) (labelled int, err error) {
	const page = 1000
	for after, more := fhir.RecordID(0), true; more; {
		writes, next, err := g.records.Unlabelled(ctx, after, page)
		if err != nil {
			return labelled, err
		}
		for len(writes) > 0 {
			written, err := g.put(ctx, Job(labelling), labelling, writes)
			var one faulty
			if errors.As(err, &one) && outcome.Is(err, outcome.Precondition) { // somebody changed it meanwhile: the rules saw that
				writes = slices.Delete(writes, one.index, one.index+1)
				continue
			}
			if err != nil {
				return labelled, err
			}
			labelled += len(written)
			break
		}
		done(labelled)
		after, more = next, next != 0
	}
	return labelled, nil
}
