package patch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"chartwarden/internal/fhir/document"
)

// FuzzPatch compares with a patch of decoded JSON: what both accept must come to the same value, and what is spliced stays JSON.
func FuzzPatch(f *testing.F) {
	for _, p := range []string{`[{"op":"add","path":"/a","value":1}]`, `[{"op":"remove","path":"/name/0"},{"op":"move","from":"/name","path":"/a"}]`,
		`[{"op":"copy","from":"/name/0/given","path":"/name/1/given"},{"op":"replace","path":"/name/1/given/0","value":{"a":[]}}]`,
		`[{"op":"test","path":"/weight","value":11e-1},{"op":"add","path":"/name/-","value":"~"},{"op":"remove","path":"/name/0/given/1"}]`} {
		f.Add([]byte(patient), []byte(p))
	}
	f.Fuzz(func(t *testing.T, resource, text []byte) {
		d, err := document.Parse(bytes.Clone(resource))
		if err != nil || len(resource) > 4096 {
			t.Skip()
		}
		p, err := Parse(bytes.Clone(text))
		if err != nil {
			t.Skip()
		}
		got, err := p.Apply(d)
		if !bytes.Equal(d.AppendJSON(nil), resource) {
			t.Fatal("the document that was patched changed")
		}
		if err != nil {
			return
		}
		want := decode(t, resource)
		for _, o := range p.ops() {
			if want, err = naive(want, o); err != nil {
				t.Fatalf("accepted what is none: %v", err)
			}
		}
		if a, b := fmt.Sprint(want), fmt.Sprint(decode(t, got.AppendJSON(nil))); a != b {
			t.Fatalf("%s\n%s\n%s", text, a, b)
		}
	})
}

func decode(t *testing.T, b []byte) (v any) {
	r := json.NewDecoder(bytes.NewReader(b))
	r.UseNumber()
	if err := r.Decode(&v); err != nil {
		t.Fatalf("no JSON any more: %v: %s", err, b)
	}
	return v
}

func decoded(n document.Node) (v any) {
	r := json.NewDecoder(bytes.NewReader(n.Raw()))
	r.UseNumber()
	_ = r.Decode(&v) // it was parsed
	return v
}

// naive applies one operation to a decoded value.
func naive(v any, o op) (any, error) {
	switch o.kind {
	case "test":
		return v, nil
	case "remove":
		return v, change(&v, o.path, func(into any, key string) (any, error) { return without(into, key) })
	case "add":
		return v, change(&v, o.path, func(into any, key string) (any, error) { return with(into, key, decoded(o.value)) })
	case "replace":
		return v, change(&v, o.path, func(into any, key string) (any, error) {
			switch x := into.(type) {
			case nil:
				return decoded(o.value), nil
			case map[string]any:
				x[key] = decoded(o.value)
			case []any:
				i, _ := strconv.Atoi(key)
				x[i] = decoded(o.value)
			}
			return into, nil
		})
	}
	at := v
	for _, key := range o.from {
		switch x := at.(type) {
		case map[string]any:
			at = x[key]
		case []any:
			i, _ := strconv.Atoi(key)
			at = x[i]
		}
	}
	raw, err := json.Marshal(at)
	if err != nil {
		return v, err
	}
	var value any
	r := json.NewDecoder(bytes.NewReader(raw))
	r.UseNumber()
	if err := r.Decode(&value); err != nil {
		return v, err
	}
	if o.kind == "move" {
		if slices.Equal(o.from, o.path) {
			return v, nil
		}
		if err := change(&v, o.from, func(into any, key string) (any, error) { return without(into, key) }); err != nil {
			return v, err
		}
	}
	return v, change(&v, o.path, func(into any, key string) (any, error) { return with(into, key, value) })
}

// change replaces the container of what p names; for the root it is called with nil.
func change(v *any, p pointer, do func(into any, key string) (any, error)) (err error) {
	if len(p) == 0 {
		*v, err = do(nil, "")
		return err
	}
	if len(p) == 1 {
		*v, err = do(*v, p[0])
		return err
	}
	switch x := (*v).(type) {
	case map[string]any:
		child := x[p[0]]
		err = change(&child, p[1:], do)
		x[p[0]] = child
	case []any:
		i, e := strconv.Atoi(p[0])
		if e != nil || i >= len(x) {
			return fmt.Errorf("no element %q", p[0])
		}
		err = change(&x[i], p[1:], do)
	default:
		return fmt.Errorf("nothing below %T", *v)
	}
	return err
}

func without(into any, key string) (any, error) {
	switch x := into.(type) {
	case map[string]any:
		delete(x, key)
		return x, nil
	case []any:
		i, err := strconv.Atoi(key)
		if err != nil {
			return nil, err
		}
		return slices.Delete(x, i, i+1), nil
	}
	return nil, fmt.Errorf("nothing to remove from %T", into)
}

func with(into any, key string, value any) (any, error) {
	switch x := into.(type) {
	case nil:
		return value, nil
	case map[string]any:
		x[key] = value
		return x, nil
	case []any:
		if key == "-" {
			return append(x, value), nil
		}
		i, err := strconv.Atoi(key)
		if err != nil {
			return nil, err
		}
		return slices.Insert(x, i, value), nil
	}
	return nil, fmt.Errorf("nothing to add to %T", into)
}
