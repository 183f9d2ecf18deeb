package access

import (
	"context"
	"encoding/base64"
	"slices"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/patch"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Patch stores what change makes of the current version. It is a read, since a test tells what is there, and an update, each decided
// and written down; a version that comes between is patched anew. ifMatch as in [ParseETag].
//
// Errors: those of [Gate.Read], [Gate.Update] and patch.Patch.Apply; outcome.Forbidden when the patch looks at an element that is
// hidden from p. Elements that are hidden and not looked at stay as they are.
func (g *Gate) Patch(ctx context.Context, p Principal, typ, id string, change *patch.Patch, ifMatch string) (Written, error) {
	return g.one(ctx, p, Entry{Method: "PATCH", URL: typ + "/" + id, IfMatch: ifMatch, Patch: change})
}

// PatchWhere is [Gate.Patch] of the one resource that p finds by the criteria. Errors: also those of [Gate.Search];
// outcome.NotFound when nothing fits, outcome.Precondition when several do.
func (g *Gate) PatchWhere(ctx context.Context, p Principal, typ, criteria string, change *patch.Patch, ifMatch string) (Written, error) {
	return g.one(ctx, p, Entry{Method: "PATCH", URL: typ + "?" + criteria, IfMatch: ifMatch, Patch: change})
}

// patchOf is the patch of an entry, in bundles a Binary. Source: https://hl7.org/fhir/R4/http.html#patch.
func (e Entry) patchOf() (*patch.Patch, error) {
	if e.Patch != nil {
		return e.Patch, nil
	}
	if e.Doc == nil || e.Doc.Type() != "Binary" || e.Doc.Root().Get("contentType").Text() != "application/json-patch+json" {
		return nil, outcome.New(outcome.NotSupported, "a PATCH entry has a Binary with contentType application/json-patch+json").At("resource")
	}
	text, err := base64.StdEncoding.DecodeString(e.Doc.Root().Get("data").Text())
	if err != nil {
		return nil, outcome.New(outcome.Invalid, "the data of the Binary is not base64").At("Binary.data")
	}
	return patch.Parse(text)
}

// patched reads the current version for d's writer and puts what the patch makes of it into d.
func (g *Gate) patched(ctx context.Context, p Principal, change *patch.Patch, d *decided) error {
	typ, id := d.write.Type, d.write.ID
	found, err := g.records.Read(ctx, typ, id)
	s, decision, err := g.readable(ctx, p, "patch", typ, id, found, err)
	if err != nil {
		return err
	}
	if d.write.IfMatch == 0 {
		d.write.IfMatch, d.pinned = found.Version(), true
	}
	if d.write.IfMatch != found.Version() {
		if d.pinned {
			return lost()
		}
		return outcome.New(outcome.Precondition, "the resource was changed by somebody else: read it again")
	}
	d.masker = g.masker(s, policy.Read, typ)
	if drop := d.masker.drop(typ); drop != nil {
		if names, whole := change.Elements(); whole || slices.ContainsFunc(names, drop) {
			e := s.event("patch", "R")
			e.PolicyHash, e.Outcome, e.Text = decision.Hash, refused, "refused: hidden elements"
			e.Patients = []audit.PatientPart{permitted{standing: s, decision: decision}.entry(s.reason(decision))}
			if _, err := g.log.Refuse(ctx, e); err != nil {
				return err
			}
			return outcome.New(outcome.Forbidden, "this patch looks at an element that your role does not see").Because("not.yours")
		}
	}
	e := s.event("patch", "R")
	e.PolicyHash = decision.Hash
	part := permitted{s, decision, []*record.Sealed{found}, policy.Read}
	if err := g.withinQuota(ctx, e, []permitted{part}); err != nil {
		return err
	}
	e.Patients = []audit.PatientPart{part.entry(s.reason(decision))}
	receipt, err := g.log.Disclose(ctx, e)
	if err != nil {
		return err
	}
	before, err := found.Open(receipt)
	if err != nil {
		return err
	}
	doc, err := change.Apply(before)
	if err != nil {
		return err
	}
	if doc.ID() != id || doc.Type() != typ {
		return outcome.New(outcome.Invalid, "a patch changes neither the type nor the id of a resource").At("id")
	}
	d.write.Doc, d.write.Kept = doc, true
	return nil
}

// show takes from the answer to a write what is hidden from the writer.
func (d decided) show(done *Written) error {
	if done.Doc == nil {
		return nil
	}
	doc, err := d.masker.mask(done.Doc)
	done.Doc = doc
	return err
}
