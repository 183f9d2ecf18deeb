package access

import (
	"context"
	"errors"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/record"
)

// An import keeps references by identifier whose target is not here. They become literal when the target comes: by a later import, or by
// anybody's write. The new version is the import's, decided as such; its author is who brought the target, so that a relationship which
// comes about by it weighs no more than one that this person writes herself. Where that does not succeed at once, the next import resolves it,
// in its own name.

// ImportAwaited resolves references that an import kept as they were sent and whose targets have come since, as new versions of what
// holds them. Results tell what was changed, and what it still waits for. Errors: as [Gate.Import].
func (g *Gate) ImportAwaited(ctx context.Context, p Principal) ([]ImportResult, error) {
	return g.resolve(ctx, p, 0, record.Write{})
}

// resolve is ImportAwaited of what waits for one record, or with none for any. by brings the author, if it is another than p.
func (g *Gate) resolve(ctx context.Context, p Principal, target fhir.RecordID, by record.Write) (out []ImportResult, err error) {
	const page = 1000
	for after := fhir.RecordID(0); ; {
		writes, next, err := g.records.Awaiting(ctx, target, after, page)
		if err != nil {
			return out, err
		}
		for i := range writes {
			writes[i].Author, writes[i].AuthorActor = by.Author, by.AuthorActor
		}
		for len(writes) > 0 {
			written, err := g.put(ctx, p, "import", writes)
			var one faulty
			if errors.As(err, &one) { // such as two that move one resource to another chart: it goes on waiting
				writes = slices.Delete(writes, one.index, one.index+1)
				continue
			}
			if err != nil {
				return out, err
			}
			for _, w := range written {
				out = append(out, ImportResult{Written: w, Skipped: !w.Changed})
			}
			break
		}
		if after = next; after == 0 {
			return out, nil
		}
	}
}

// arrived resolves what waited for the targets that a write brought. The write stands whatever becomes of it: what fails waits for the
// next import.
func (g *Gate) arrived(ctx context.Context, ws []record.Write, changes []record.Change) {
	for i, w := range ws {
		if w.Doc == nil || changes[i].Effect == record.Unchanged || !record.AwaitedAs(w.Doc) {
			continue
		}
		if _, err := g.resolve(context.WithoutCancel(ctx), Job("import"), changes[i].Record, w); err != nil {
			g.logger.Warn("references that waited for a resource could not be resolved; the next import does it", "error", err)
		}
	}
}
