package audit

import (
	"context"
	"slices"

	"chartwarden/internal/db"
	"chartwarden/internal/seal"
)

// Scan gives every entry of some kinds straight from the store, in order inside each log, opened with box. It appends nothing and needs
// no [Log]: it is for who brings a store back. What cannot be opened comes with Read.Withheld or Read.Damaged. Errors: that of use;
// outcome.NoStore.
func Scan(ctx context.Context, d *db.DB, box *seal.Box, kinds []Kind, use func(Read) error) error {
	if err := upToDate(ctx, d); err != nil {
		return err
	}
	s := &store{d: d, box: box}
	rows, err := s.logs(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		for from, to := indexOf(row.number, 0), indexOf(row.number+1, 0); ; {
			page, err := s.span(ctx, from, to, 4096, false)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, raw := range page {
				from = raw.at + 1
				if e, err := parseEntry(raw.bytes); err == nil && !slices.Contains(kinds, e.kind) {
					continue
				}
				whole, err := s.span(ctx, raw.at, raw.at+1, 1, true)
				if err != nil {
					return err
				}
				for _, one := range whole {
					if err := use(s.open(one, row.origin)); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}
