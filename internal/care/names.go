package care

import (
	"encoding/binary"
	"strings"
	"sync"

	"chartwarden/internal/seal"
)

const (
	namedQuery = `select sealed from care_name where name=?`
	insertName = `insert into care_name(name, sealed) values(?,?) on conflict(name) do update set sealed=excluded.sealed`
)

// named is what a keyed name stands for: a reference, and how a resource displayed it. Staff and places only, never a patient.
type named struct{ Ref, Name string }

// names keeps them sealed in a table and open in memory.
type names struct {
	key  seal.KeyID
	seen sync.Map // int64 to named
}

func nameContext(key int64) []byte {
	return binary.BigEndian.AppendUint64([]byte("care_name"), uint64(key))
}

// remember stores what the keyed names of an edge stand for, once; a name that was missing is added when a resource tells it.
func (p *projection) remember(keys ...int64) error {
	for _, k := range keys {
		n, ok := p.names[k]
		if !ok || strings.HasPrefix(n.Ref, "Patient/") {
			continue
		}
		if known := p.g.named(k); known.Name != "" || known.Ref != "" && n.Name == "" {
			continue
		}
		sealed, err := p.g.box.Seal(nil, p.g.names.key, nameContext(k), []byte(n.Ref+"\x00"+n.Name))
		if err != nil {
			return err
		}
		if _, err := p.tx.Stmt(p.g.write.name).Exec(k, sealed); err != nil {
			return err
		}
		p.g.names.seen.Delete(k)
	}
	return nil
}

// named opens what a keyed name stands for; zero when it is unknown or cannot be opened, since a name is a courtesy.
func (g *Graph) named(key int64) named {
	if n, ok := g.names.seen.Load(key); ok {
		return n.(named)
	}
	var sealed []byte
	if g.read.named.QueryRow(key).Scan(&sealed) != nil {
		return named{}
	}
	plain, err := g.box.Open(nil, nameContext(key), sealed)
	if err != nil {
		return named{}
	}
	ref, name, _ := strings.Cut(string(plain), "\x00")
	n := named{ref, name}
	if n.Name != "" || !g.d.Shared() { // another node may learn what is missing
		g.names.seen.Store(key, n)
	}
	return n
}
