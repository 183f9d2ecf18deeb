package web

import (
	"testing"
	"time"

	"chartwarden/internal/tlog"
)

// Walking up by the sides that the page shows leads to the root, for every entry of every small log.
func TestSidesLeadToTheRoot(t *testing.T) {
	for size := int64(1); size <= 40; size++ {
		tree := &tlog.Tree{}
		for i := range size {
			tree.Append(tlog.LeafHash([]byte{byte(i)}))
		}
		for index := range size {
			path, err := tlog.Inclusion(tree.Reader(nil), index, size)
			if err != nil {
				t.Fatal(err)
			}
			h := tlog.LeafHash([]byte{byte(index)})
			for i, left := range sides(index, size, len(path)) {
				if left {
					h = tlog.NodeHash(path[i], h)
				} else {
					h = tlog.NodeHash(h, path[i])
				}
			}
			if h != tree.Root() {
				t.Fatalf("entry %d of %d leads elsewhere", index, size)
			}
		}
	}
}

func TestOnceIsForOneSessionAndOneLook(t *testing.T) {
	var o once[string]
	now := time.Unix(0, 0)
	o.keep("mine", "place", now, "secret")
	if o.take("other", "place", now) != "" || o.take("mine", "elsewhere", now) != "" {
		t.Error("somebody else sees it")
	}
	if o.take("mine", "place", now) != "secret" || o.take("mine", "place", now) != "" {
		t.Error("it is shown once")
	}
	o.keep("mine", "place", now, "secret")
	if o.take("mine", "place", now.Add(onceLasts+time.Second)) != "" {
		t.Error("it lapses")
	}
}
