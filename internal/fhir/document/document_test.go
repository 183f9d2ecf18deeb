package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"chartwarden/internal/fhir/internal/published"
	"chartwarden/internal/outcome"
)

const secret = "Okafor"

const sample = `{ "resourceType" : "Patient",
  "id":"p-1", "name":[{"family":"Okafor","given":["Ma\u0072en","\ud83d\ude00"]},null],
  "birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"u","valueDecimal":1.10}]}, "active":true }`

func mustParse(t testing.TB, s string) *Doc {
	t.Helper()
	d, err := Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWalk(t *testing.T) {
	d := mustParse(t, sample)
	r := d.Root()
	if d.Type() != "Patient" || d.ID() != "p-1" || d.VersionID() != "" {
		t.Fatalf("%s %s %s", d.Type(), d.ID(), d.VersionID())
	}
	if got := r.Path("name", "given").Text(); got != "Maren" {
		t.Fatalf("given %q", got)
	}
	var given []string
	for g := range r.Path("name").Get("given").Items() {
		given = append(given, g.Text())
	}
	if !slices.Equal(given, []string{"Maren", "😀"}) {
		t.Fatalf("%q", given)
	}
	if v := r.Path("_birthDate", "extension", "valueDecimal"); v.Text() != "1.10" || v.Expression() != "Patient._birthDate.extension[0].valueDecimal" {
		t.Fatalf("%s %s", v.Text(), v.Expression())
	}
	if !r.Get("active").Bool() || r.Get("name").Bool() || r.Get("nothing").Get("at").Exists() || r.Get("nothing").Path("x").Text() != "" {
		t.Fatal("booleans and absence")
	}
	var names []string
	for f := range r.Fields() {
		names = append(names, f.Name())
	}
	if fmt.Sprint(names) != "[resourceType id name birthDate _birthDate active]" {
		t.Fatal(names)
	}
	if string(d.AppendJSON(nil)) != sample || d.Len() != len(sample) {
		t.Fatal("the bytes changed")
	}
	if n := r.Get("name"); n.Kind() != Array || n.Path().Kind() != Object || string(r.Get("id").Raw()) != `"p-1"` {
		t.Fatal("kinds")
	}
}

func TestRefusals(t *testing.T) {
	p := func(s string) string { return `{"resourceType":"Patient",` + s + `}` }
	for name, c := range map[string]struct {
		text, place string
		code        outcome.Code
	}{
		"empty":            {"", "", outcome.Invalid},
		"array":            {"[]", "", outcome.Structure},
		"no type":          {`{"id":"x"}`, "resourceType", outcome.Structure},
		"type no string":   {`{"resourceType":1}`, "resourceType", outcome.Structure},
		"type a sentence":  {`{"resourceType":"Okafor, Maren"}`, "resourceType", outcome.Structure},
		"trailing":         {p(`"id":"x"`) + "x", "Patient", outcome.Invalid},
		"trailing comma":   {p(`"id":"x",`), "Patient", outcome.Invalid},
		"comment":          {p(`/* x */"id":"x"`), "Patient", outcome.Invalid},
		"line comment":     {p("\"id\":\"x\" // x\n"), "Patient", outcome.Invalid},
		"cut":              {`{"resourceType":"Patient","name":[{"family":"Okafor`, "Patient.name[0].family", outcome.Invalid},
		"twice":            {p(`"id":"x","name":[{"text":"a","text":"b"}]`), "Patient.name[0]", outcome.Structure},
		"escaped name":     {p(`"\u0069d":"x"`), "Patient", outcome.Structure},
		"long name":        {p(`"` + strings.Repeat("n", 256) + `":"x"`), "Patient", outcome.Structure},
		"leading zero":     {p(`"x":01`), "Patient.x", outcome.Invalid},
		"bare point":       {p(`"x":1.`), "Patient.x", outcome.Invalid},
		"bare exponent":    {p(`"x":1e`), "Patient.x", outcome.Invalid},
		"plus":             {p(`"x":+1`), "Patient.x", outcome.Invalid},
		"minus":            {p(`"x":-`), "Patient.x", outcome.Invalid},
		"word":             {p(`"x":nul`), "Patient.x", outcome.Invalid},
		"bad escape":       {p(`"x":"\q"`), "Patient.x", outcome.Invalid},
		"control":          {p("\"x\":\"a\nb\""), "Patient.x", outcome.Invalid},
		"bad UTF-8":        {p("\"x\":\"a\xffb\""), "Patient.x", outcome.Invalid},
		"long UTF-8":       {p("\"x\":\"\xc0\x80\""), "Patient.x", outcome.Invalid},
		"raw surrogate":    {p("\"x\":\"\xed\xa0\x80\""), "Patient.x", outcome.Invalid},
		"high surrogate":   {p(`"x":"\ud83d"`), "Patient.x", outcome.Invalid},
		"low surrogate":    {p(`"x":"\ude00"`), "Patient.x", outcome.Invalid},
		"wrong surrogates": {p(`"x":"\ud83d\u0041"`), "Patient.x", outcome.Invalid},
		"deep":             {p(`"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64)), "", outcome.Structure},
		"a name as name":   {p(`"Maren Okafor":01`), "Patient.?", outcome.Invalid},
		"byte order mark":  {"\ufeff" + p(`"id":"x"`), "", outcome.Invalid},
		"large":            {p(`"x":"` + strings.Repeat("x", MaxSize) + `"`), "", outcome.TooLong},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			var e *outcome.Error
			if !errors.As(err, &e) || e.Code != c.code || name != "deep" && e.Expression != c.place && e.Expression != untyped {
				t.Fatalf("%v (%v)", err, outcome.CodeOf(err))
			}
			if strings.Contains(err.Error(), secret) {
				t.Fatalf("the refusal quotes the record: %v", err)
			}
		})
	}
	mustParse(t, p(`"x":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)))
	mustParse(t, p(`"x":[0,-0,1.10,1e5,1E-5,-1.5e+10]`))
}

func TestManyNames(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `,"n%d":1`, i)
	}
	mustParse(t, `{"resourceType":"Patient"`+b.String()+`}`)
	for _, again := range []string{"n0", "n31", "n32", "n4999", "resourceType"} {
		if _, err := Parse([]byte(`{"resourceType":"Patient"` + b.String() + `,"` + again + `":1}`)); !outcome.Is(err, outcome.Structure) {
			t.Fatalf("%s twice: %v", again, err)
		}
	}
}

// TestUnprintable walks every way by which Go prints a value that it was not asked to print.
func TestUnprintable(t *testing.T) {
	d := mustParse(t, sample)
	edit := Edit{1, 2, []byte(secret)}
	entry := newEntry(3, entryContent{"urn:" + secret, map[string]string{"url": "Patient?name=" + secret}, d, nil})
	type inside struct {
		Doc      *Doc
		Value    Doc
		Node     Node
		Entry    *Entry
		List     []*Doc
		Map      map[string]*Doc
		Any      any
		doc      *Doc
		value    Doc
		node     Node
		entry    *Entry
		anything any
		copied   Entry
	}
	n := d.Root().Get("name")
	s := inside{d, *d, n, entry, []*Doc{d}, map[string]*Doc{"k": d}, d, d, *d, n, entry, d, *entry}
	for _, v := range []any{d, *d, n, &edit, entry, *entry, s, &s, []any{s}, map[string]any{"x": s}, struct{ s inside }{s}} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%c", "%b", "%e", "%t", "%U"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		b, err := json.Marshal(v)
		fmt.Fprintln(&out, string(b), err)
		fmt.Fprintln(&out, fmt.Errorf("wrapped %v", v), errors.Join(fmt.Errorf("%+v", v)))
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v, slog.Group("g", "v", v))
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v, slog.Group("g", "v", v))
		func() {
			defer func() { fmt.Fprintln(&out, recover()) }()
			panic(v)
		}()
		if v == any(&edit) {
			fmt.Fprint(&out, edit)
		}
		hex := fmt.Sprintf("%x", secret)
		list := strings.Trim(fmt.Sprint([]byte(secret)), "[]")
		for _, leak := range []string{secret, hex, strings.ToUpper(hex), list, "1970"} {
			if strings.Contains(out.String(), leak) {
				t.Fatalf("%T prints content as %q:\n%s", v, leak, out.String())
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if got := fmt.Sprintf(verb, d); got != "Patient/p-1" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	if b, _ := json.Marshal(d); string(b) != `"Patient/p-1"` {
		t.Errorf("json %s", b)
	}
	if got := mustParse(t, `{"resourceType":"Patient","id":"Maren Okafor"}`).String(); got != "Patient" {
		t.Errorf("an id outside the grammar is printed: %q", got)
	}
	var none *Doc
	_ = fmt.Sprint(none, Doc{}, Node{}, Entry{})
}

func TestMask(t *testing.T) {
	const all = `{"birthDate":"1970","_birthDate":{}, "resourceType":"Patient" ,"name":[],"id":"p","gender":"male","active":true}`
	for name, c := range map[string]struct{ in, drop, want string }{
		"front":    {all, "birthDate", `{"resourceType":"Patient" ,"name":[],"id":"p","meta":{"tag":[T]},"gender":"male","active":true}`},
		"middle":   {all, "name gender", `{"birthDate":"1970","_birthDate":{}, "resourceType":"Patient","id":"p","meta":{"tag":[T]},"active":true}`},
		"end":      {all, "active", `{"birthDate":"1970","_birthDate":{}, "resourceType":"Patient" ,"name":[],"id":"p","meta":{"tag":[T]},"gender":"male"}`},
		"all":      {all, "birthDate name gender active id resourceType", `{"resourceType":"Patient","id":"p","meta":{"tag":[T]}}`},
		"nothing":  {all, "photo", all},
		"meta":     {`{"resourceType":"Patient","meta":{"versionId":"1"},"active":true}`, "active meta", `{"resourceType":"Patient","meta":{"tag":[T],"versionId":"1"}}`},
		"no meta":  {`{"resourceType":"Patient","meta":{},"active":true}`, "active", `{"resourceType":"Patient","meta":{"tag":[T]}}`},
		"tags":     {`{"resourceType":"Patient","meta":{"tag":[{"code":"x"}]},"active":true}`, "active", `{"resourceType":"Patient","meta":{"tag":[{"code":"x"},T]}}`},
		"no tags":  {`{"resourceType":"Patient","meta":{"tag":[ ]},"active":true}`, "active", `{"resourceType":"Patient","meta":{"tag":[ T]}}`},
		"tagged":   {`{"resourceType":"Patient","meta":{"tag":[T]},"active":true}`, "active", `{"resourceType":"Patient","meta":{"tag":[T]}}`},
		"no id":    {`{"resourceType":"Patient","active":true}`, "active", `{"resourceType":"Patient","meta":{"tag":[T]}}`},
		"sibling":  {`{"resourceType":"Patient","_birthDate":{}}`, "birthDate", `{"resourceType":"Patient","meta":{"tag":[T]}}`},
		"bad meta": {`{"resourceType":"Patient","meta":1,"active":true}`, "active", ""},
		"bad tag":  {`{"resourceType":"Patient","meta":{"tag":{}},"active":true}`, "active", ""},
	} {
		t.Run(name, func(t *testing.T) {
			coding := `{"system":"` + observationValue + `","code":"SUBSETTED"}`
			fill := strings.NewReplacer("[T]", "["+coding+"]", ",T]", ","+coding+"]", " T]", " "+coding+"]")
			d := mustParse(t, fill.Replace(c.in))
			got, err := d.Mask(func(e string) bool { return slices.Contains(strings.Fields(c.drop), e) }, Subsetted)
			if err != nil {
				if c.want != "" || !outcome.Is(err, outcome.Structure) {
					t.Fatal(err)
				}
				return
			}
			if s := string(got.AppendJSON(nil)); s != fill.Replace(c.want) {
				t.Fatalf("got  %s\nwant %s", s, c.want)
			}
		})
	}
	d, err := mustParse(t, all).Mask(func(e string) bool { return e == "gender" }, Redacted)
	if err != nil || d.Root().Path("meta", "security", "code").Text() != "REDACTED" {
		t.Fatal(d, err)
	}
}

func TestReplaceReferences(t *testing.T) {
	d := mustParse(t, `{"resourceType":"Observation","subject":{"reference":"urn:uuid:1","display":"urn:uuid:1"},"contained":[{"resourceType":"Provenance","target":[{"reference":"urn:uuid:2"},{"reference":"#x"}]}],"extension":[{"valueReference":{"reference":"urn:uuid:1"}}]}`)
	got, err := d.ReplaceReferences(func(s string) (string, bool) {
		return "Patient/" + strings.TrimPrefix(s, "urn:uuid:"), strings.HasPrefix(s, "urn:")
	})
	const want = `{"resourceType":"Observation","subject":{"reference":"Patient/1","display":"urn:uuid:1"},"contained":[{"resourceType":"Provenance","target":[{"reference":"Patient/2"},{"reference":"#x"}]}],"extension":[{"valueReference":{"reference":"Patient/1"}}]}`
	if err != nil || string(got.AppendJSON(nil)) != want {
		t.Fatalf("%v %s", err, got.AppendJSON(nil))
	}
	c, err := got.Root().Path("contained").Detach()
	if err != nil || c.Type() != "Provenance" || c.Root().Path("target", "reference").Expression() != "Provenance.target[0].reference" {
		t.Fatal(c, err)
	}
}

func TestSplice(t *testing.T) {
	d := mustParse(t, `{"resourceType":"Basic","id":"a"}`)
	at, end := d.Root().Get("id").Span()
	got, err := d.Splice(Edit{end, end, []byte(`,"y":2`)}, Edit{at, end, []byte(`"b"`)}, Edit{end, end, []byte(`,"z":3`)})
	if err != nil || string(got.AppendJSON(nil)) != `{"resourceType":"Basic","id":"b","y":2,"z":3}` {
		t.Fatalf("%v %s", err, got.AppendJSON(nil))
	}
	for _, bad := range [][]Edit{{{5, 4, nil}}, {{0, 99, nil}}, {{1, 5, nil}, {4, 6, nil}}, {{-1, 2, nil}}} {
		if _, err := d.Splice(bad...); !outcome.Is(err, outcome.Exception) {
			t.Fatalf("%v: %v", bad, err)
		}
	}
	if _, err := d.Splice(Edit{at, end, nil}); !outcome.Is(err, outcome.Invalid) {
		t.Fatal("a splice that breaks the JSON must be refused", err)
	}
}

func TestSplitBundle(t *testing.T) {
	const bundle = ` { "entry" : [ {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"a","x":"}]\"{"},"request":{"method":"PUT","url":"Patient/a","ifNoneExist":"q"}} ,
		{"resource":{"resourceType":"Patient","id":"a","id":"b"}}, 7, {"request":{"method":"DELETE","url":"Patient/c"}},
		{"resource":{"resourceType":"Observation","valueQuantity":{"value":1.10}}} ], "id":"b1",
		"resourceType":"Bundle","type":"transaction", "total":1.0 } `
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(bundle), "byte by byte": iotest.OneByteReader(strings.NewReader(bundle)), "eof with data": iotest.DataErrReader(strings.NewReader(bundle))} {
		s := SplitBundle(r)
		if _, err := s.Header(); err == nil {
			t.Fatal("a header before the end")
		}
		var got []string
		for e, err := range s.Entries() {
			if err != nil {
				t.Fatal(name, err)
			}
			d, err := e.Doc()
			line := fmt.Sprintf("%d %s %s %s %s %v", e.Index(), e.FullURL(), e.Request("method"), e.Request("url"), e.Request("ifNoneExist"), outcome.CodeOf(err))
			if err == nil && d != nil {
				line += " " + string(d.AppendJSON(nil))
			}
			got = append(got, line)
		}
		want := []string{
			`0 urn:uuid:1 PUT Patient/a q exception {"resourceType":"Patient","id":"a","x":"}]\"{"}`,
			`1     structure`, `2     structure`, `3  DELETE Patient/c  exception`,
			`4     exception {"resourceType":"Observation","valueQuantity":{"value":1.10}}`,
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s:\n%s", name, strings.Join(got, "\n"))
		}
		h, err := s.Header()
		if err != nil || h.String() != "Bundle/b1" || s.Type() != "transaction" || h.Root().Get("total").Text() != "1.0" {
			t.Fatal(name, h, err)
		}
	}
}

func TestSplitBundleRefusals(t *testing.T) {
	for text, code := range map[string]outcome.Code{
		``: outcome.Invalid, `[]`: outcome.Invalid, `{`: outcome.Invalid, `{"resourceType":"Bundle"`: outcome.Invalid,
		`{"resourceType":"Bundle","entry":[{}`: outcome.Invalid, `{"resourceType":"Bundle","entry":[{} {}]}`: outcome.Invalid,
		`{"resourceType":"Bundle","entry":[{},]}`: outcome.Invalid, `{"resourceType":"Bundle","entry":{}}`: outcome.Invalid,
		`{"resourceType":"Bundle","entry":[],"entry":[]}`: outcome.Structure, `{"resourceType":"Bundle"} x`: outcome.Invalid,
		`{"resourceType":"Bundle","type":"a","type":"b"}`: outcome.Structure, `{"resourceType":"Patient"}`: outcome.Structure,
		`{"resourceType":"Bundle",}`: outcome.Invalid, `{"resourceType":"Bundle","id":}`: outcome.Invalid, `{"resourceType":"Bundle","id":[}]}`: outcome.Invalid,
		`{"resourceType":"Bundle","x":"` + strings.Repeat("x", headerLimit) + `"}`: outcome.TooLong,
	} {
		var last error
		for e, err := range SplitBundle(strings.NewReader(text)).Entries() {
			if last = err; err != nil && e != nil {
				t.Fatal("an error comes alone")
			}
		}
		if !outcome.Is(last, code) {
			t.Errorf("%.60s: %v", text, last)
		}
	}
	broken := io.MultiReader(strings.NewReader(`{"entry":[{}`), iotest.ErrReader(errors.New(secret)))
	for _, err := range SplitBundle(broken).Entries() {
		if err != nil && (!outcome.Is(err, outcome.Transient) || strings.Contains(err.Error(), secret)) {
			t.Error(err)
		}
	}
}

func TestSplitBundlePassesOverWhatIsTooLarge(t *testing.T) {
	huge := `{"resource":{"resourceType":"Binary","data":"` + strings.Repeat("A", MaxSize+2<<20) + `"}}`
	r := strings.NewReader(`{"resourceType":"Bundle","entry":[` + huge + `,{"resource":{"resourceType":"Basic","id":"b"}}]}`)
	var codes []outcome.Code
	for e, err := range SplitBundle(r).Entries() {
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Doc()
		codes = append(codes, outcome.CodeOf(err))
	}
	if !slices.Equal(codes, []outcome.Code{outcome.TooLong, outcome.Exception}) { // no error has no code
		t.Fatal(codes)
	}
}

func TestSplitLines(t *testing.T) {
	const lines = "{\"resourceType\":\"Basic\",\"id\":\"a\"}\r\n\n  \n{\"resourceType\":\"Basic\"\n{\"resourceType\":\"Basic\",\"id\":\"c\"}"
	var got []string
	for e, err := range SplitLines(strings.NewReader(lines)) {
		if err != nil {
			t.Fatal(err)
		}
		d, err := e.Doc()
		got = append(got, fmt.Sprint(e.Index(), d, err != nil))
	}
	if !slices.Equal(got, []string{"1 Basic/a false", "4 <nil> true", "5 Basic/c false"}) {
		t.Fatalf("%q", got)
	}
}

// checkStamp is the law of Stamp: what it touches has the new values, and every other byte is that of d.
func checkStamp(t testing.TB, d *Doc) {
	t.Helper()
	at := time.Date(2026, 11, 22, 1, 2, 3, 4e6, time.FixedZone("", 3600))
	meta := d.Root().Get("meta")
	got, err := d.Stamp("new-id", "7", at)
	if meta.Exists() && meta.Kind() != Object {
		if !outcome.Is(err, outcome.Structure) {
			t.Fatalf("meta is no object: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	when, _ := got.LastUpdated()
	if got.ID() != "new-id" || got.VersionID() != "7" || !when.Equal(at) {
		t.Fatalf("%s %s %v", got.ID(), got.VersionID(), when)
	}
	if back := unstamp(d, got); back != string(d.tape().b) {
		t.Fatalf("more changed than the stamp:\n%q\n%q", d.tape().b, back)
	}
}

// unstamp takes the stamp out of got: what d had is put back in its place, what d had not is cut out.
func unstamp(d, got *Doc) string {
	const version, updated = `"versionId":"7"`, `"lastUpdated":"2026-11-22T00:02:03.004Z"`
	type at struct {
		start, end int
		with       string
	}
	var spots []at
	back := func(old, now Node) {
		start, end := now.Span()
		spots = append(spots, at{start, end, string(old.Raw())})
	}
	old, now := d.Root(), got.Root()
	cut := ""
	if id := old.Get("id"); id.Exists() {
		back(id, now.Get("id"))
	} else {
		cut = `,"id":"new-id"`
	}
	if meta := old.Get("meta"); !meta.Exists() {
		cut += `,"meta":{` + version + `,` + updated + `}`
	} else {
		var added []string
		for _, m := range []struct{ name, text string }{{"versionId", version}, {"lastUpdated", updated}} {
			if old := meta.Get(m.name); old.Exists() {
				back(old, now.Get("meta").Get(m.name))
			} else {
				added = append(added, m.text)
			}
		}
		if len(added) > 0 {
			start, _ := now.Get("meta").Span()
			text := strings.Join(added, ",")
			if len(slices.Collect(meta.Fields())) > 0 {
				text += ","
			}
			spots = append(spots, at{start + 1, start + 1 + len(text), ""})
		}
	}
	_, end := now.Get("resourceType").Span()
	if !strings.HasPrefix(string(got.tape().b[end:]), cut) {
		return "what was added is not behind resourceType"
	}
	spots = append(spots, at{end, end + len(cut), ""})
	slices.SortFunc(spots, func(a, b at) int { return b.start - a.start })
	out := string(got.tape().b)
	for _, s := range spots {
		out = out[:s.start] + s.with + out[s.end:]
	}
	return out
}

func TestStamp(t *testing.T) {
	for _, s := range []string{
		sample,
		`{"resourceType":"Patient"}`,
		`{"resourceType":"Patient","meta":{}}`,
		`{"resourceType":"Patient","meta":{ }}`,
		`{ "id" : "old" , "meta" : { "lastUpdated" : "x" , "tag" : [ ] , "versionId" : "1" } , "resourceType" : "Patient" }`,
		`{"meta":{"tag":[]},"resourceType":"Patient","active":true}`,
		`{"id":7,"resourceType":"Patient","meta":{"versionId":null,"_versionId":{"id":"x"}},"_id":{}}`,
		`{"resourceType":"Patient","meta":[]}`,
		`{"resourceType":"Patient","meta":null}`,
	} {
		checkStamp(t, mustParse(t, s))
	}
	if _, err := mustParse(t, sample).Stamp("", "1", time.Now()); !outcome.Is(err, outcome.Exception) {
		t.Fatal(err)
	}
	got, _ := mustParse(t, `{"resourceType":"Patient"}`).Stamp("a", "1", time.Unix(0, 0))
	if s := string(got.AppendJSON(nil)); s != `{"resourceType":"Patient","id":"a","meta":{"versionId":"1","lastUpdated":"1970-01-01T00:00:00.000Z"}}` {
		t.Fatal(s)
	}
}

func TestPublishedExamplesKeepTheirBytes(t *testing.T) {
	dir := published.Need(t)
	count := 0
	for name, b := range published.Files(dir, "r4-examples.tar.gz") {
		d, err := Parse(bytes.Clone(b))
		if err != nil {
			if !strings.HasSuffix(name, "package.json") && !strings.HasSuffix(name, "ig-r4.json") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		count++
		if !bytes.Equal(d.AppendJSON(nil), b) {
			t.Errorf("%s: the bytes changed", name)
		}
		if testing.Short() && count%20 != 0 {
			continue
		}
		checkStamp(t, d)
	}
	t.Logf("%d examples", count)
}
