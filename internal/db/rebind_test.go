package db

import "testing"

func TestRebind(t *testing.T) {
	for in, want := range map[string]string{
		`select 1`:                              `select 1`,
		`a=? and b=?`:                           `a=$1 and b=$2`,
		`a=?1 and b=?2 or c=?1`:                 `a=$1 and b=$2 or c=$1`,
		`?2, ?`:                                 `$2, $3`,
		`'?' "?" -- ?` + "\n" + `/* ? */ ?`:     `'?' "?" -- ?` + "\n" + `/* ? */ $1`,
		`'it''s ?' || ?`:                        `'it''s ?' || $1`,
		`'open ?`:                               `'open ?`,
		`a in (?,?,?) limit ?`:                  `a in ($1,$2,$3) limit $4`,
		`name like 'ä?' and x=?12 -- the end ?`: `name like 'ä?' and x=$12 -- the end ?`,
	} {
		if got := rebind(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func FuzzRebind(f *testing.F) {
	f.Add(`select '?' where a=? and b=?2 -- ?`)
	f.Fuzz(func(t *testing.T, query string) {
		if again := rebind(rebind(query)); again != rebind(query) { // what is quoted stays, and nothing else is left
			t.Errorf("%q becomes %q and then %q", query, rebind(query), again)
		}
	})
}
