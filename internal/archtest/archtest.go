// Package archtest fails the build when the code leaves the shape that ARCHITECTURE.md promises: who may import whom, what only the
// door may reach, one package comment each, names from the field's vocabulary.
//
// [Findings] reads a source tree and returns each violation as one sentence; the test of this package runs it on the module and on
// planted violations. Imports are parsed in-process: a test that asked the go command would be cached over a violation.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const module = "chartwarden/"

// ranks is the order of packages from the ground up. A package imports only lower ranks; packages of one rank never import each
// other, except as family or declared says.
var ranks = [][]string{
	{"outcome", "tied"},
	{"fhir", "seal", "tlog", "db", "policy", "posture", "simulate"},
	{"balp", "care", "backup", "scope", "witness"},
	{"audit"},
	{"record", "identity"},
	{"access", "detect"},
	{"casework", "ingest", "feed", "intake", "disclosure", "message", "governance", "outlet", "sso", "staffing", "training"},
	{"fhirapi", "scim", "smart", "web", "hospital", "watch"},
	{"server"},
}

// declared are the imports inside one rank or one family, importer to imported, each with its reason.
var declared = map[[2]string]string{
	{"seal", "db"}:                       "the key ring keeps its wrapped keys in keys.db",
	{"fhir", "fhir/document"}:            "compartments and main dates are read from documents",
	{"fhir/validate", "fhir"}:            "validation walks the generated type tables",
	{"fhir/validate", "fhir/document"}:   "validation walks documents",
	{"fhir/consent", "fhir"}:             "consents speak of labels, references and main dates",
	{"fhir/consent", "fhir/document"}:    "consents are read from documents, and judge documents",
	{"fhir/patch", "fhir/document"}:      "patches are splices of documents",
	{"fhir/search", "fhir"}:              "search values need references and type facts",
	{"fhir/search", "fhir/document"}:     "search values are read from documents",
	{"db/dbtest", "db"}:                  "tests open the engine of the run",
	{"simulate/score", "simulate"}:       "labels are a simulation's",
	{"posture/machine", "posture"}:       "what is read of a machine is a report",
	{"ingest", "ingest/foreign"}:         "logs of other systems are one of the forms that are read",
	{"ingest", "ingest/atna"}:            "syslog messages are another",
	{"ingest/atna", "ingest/foreign"}:    "both tell people and patients by another system's identifiers",
	{"ingest/collect", "ingest"}:         "what is collected is written as AuditEvents",
	{"ingest/collect", "ingest/atna"}:    "what is collected are syslog messages",
	{"ingest/collect", "ingest/foreign"}: "people and patients keep another system's identifiers",
	{"casework", "ingest"}:               "who works in a system that is watched is told by its context",
	{"feed", "ingest"}:                   "what is taken is cut where it is read",
	{"feed", "ingest/foreign"}:           "a file keeps the mapping by which it is read",
	{"server/servertest", "server"}:      "tests of any surface start a whole server",
	{"web", "web/look"}:                  "pages are drawn with the look",
	{"web", "web/page"}:                  "the surface fills page views",
	{"web/page", "web/look"}:             "pages are drawn with the look",
	{"smart", "web/page"}:                "the consent page is drawn like every page",
	{"smart", "web/look"}:                "the consent page is drawn with the look",
}

// gated packages may be imported only by those listed; the reason is the message.
var gated = map[string]struct {
	importers []string
	reason    string
}{
	"record": {[]string{"access", "server"}, "patient data leaves the store only through the door, after its audit entry is durable"},
	"seal":   {[]string{"record", "audit", "care", "identity", "casework", "feed", "message", "server"}, "each importer is handed a Box of its own key family"},
}

// appenders are the packages that may write entries: the door, and those whose own acts are entries.
var appenders = []string{"access", "identity", "server", "audit"}

var appends = []string{"Disclose", "Refuse", "Intend", "Conclude"}

// told are the packages that may have versions told to them in clear: detection, and the server, which starts it.
var told = []string{"watch", "server"}

// muxes are the packages that may tie addresses to handlers: the server, whose table of routes names each one's action, and a witness,
// which has no patients.
var muxes = []string{"server", "witness"}

var catchAll = []string{"util", "utils", "common", "shared", "helper", "helpers", "misc", "base", "models", "model", "types", "manager", "handlers", "lib"}

var bannedWord = regexp.MustCompile(`(?:^|[a-z])User|^user|^users$`)

type source struct {
	dir  string // below internal/, slashes
	name string
	file *ast.File
	fset *token.FileSet
}

// Findings reads every Go file below fsys (rooted at the module's internal directory) and returns one sentence for each violation.
func Findings(fsys fs.FS) ([]string, error) {
	var sources []source
	fset := token.NewFileSet()
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		sources = append(sources, source{path.Dir(name), path.Base(name), file, fset})
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range sources {
		if strings.HasSuffix(s.name, "_test.go") {
			continue
		}
		out = append(out, importsOf(s)...)
		out = append(out, callsOf(s)...)
		out = append(out, wordsOf(s)...)
	}
	out = append(out, commentsOf(sources)...)
	slices.Sort(out)
	return out, nil
}

func rank(dir string) int {
	top, _, _ := strings.Cut(dir, "/")
	return slices.IndexFunc(ranks, func(r []string) bool { return slices.Contains(r, top) })
}

func importsOf(s source) (out []string) {
	if s.dir == "archtest" || strings.Contains("/"+s.dir+"/", "/internal/") {
		return nil
	}
	if rank(s.dir) < 0 {
		return []string{fmt.Sprintf("%s has no rank: give it one in archtest and ARCHITECTURE.md", s.dir)}
	}
	if slices.Contains(catchAll, path.Base(s.dir)) {
		out = append(out, fmt.Sprintf("%s: the name says nothing about what it holds", s.dir))
	}
	for _, spec := range s.file.Imports {
		imp, _ := strconv.Unquote(spec.Path.Value)
		to, ours := strings.CutPrefix(imp, module+"internal/")
		if !ours || strings.HasPrefix(to, s.dir+"/internal/") {
			continue
		}
		if g, ok := gated[top(to)]; ok && top(s.dir) != top(to) && !slices.Contains(g.importers, top(s.dir)) {
			out = append(out, fmt.Sprintf("%s/%s imports %s: %s", s.dir, s.name, to, g.reason))
		}
		if _, ok := declared[[2]string{s.dir, to}]; ok {
			continue
		}
		if rank(to) >= rank(s.dir) {
			out = append(out, fmt.Sprintf("%s/%s imports %s, which ranks no lower", s.dir, s.name, to))
		}
	}
	return out
}

func top(dir string) string { t, _, _ := strings.Cut(dir, "/"); return t }

// callsOf finds calls that only some packages may make: of the appending methods, of what tells records in clear, and of what serves an
// address. Selector names are distinctive enough that
// no type check is needed; a false finding is mended by a better name.
func callsOf(s source) (out []string) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if ok && sel.Sel.Name == "TellVersions" && !slices.Contains(told, top(s.dir)) {
				out = append(out, fmt.Sprintf("%s has records told to it in clear: only detection does, which shows them to nobody", s.fset.Position(call.Pos())))
			}
			if ok && slices.Contains([]string{"NewServeMux", "Handle", "HandleFunc"}, sel.Sel.Name) && !slices.Contains(muxes, top(s.dir)) {
				out = append(out, fmt.Sprintf("%s serves past the table of routes: return an access.Route that names its action", s.fset.Position(call.Pos())))
			}
			if ok && slices.Contains(appends, sel.Sel.Name) && !slices.Contains(appenders, top(s.dir)) {
				out = append(out, fmt.Sprintf("%s appends to the audit by %s: only access and identity do", s.fset.Position(call.Pos()), sel.Sel.Name))
			}
		}
		return true
	})
	return out
}

// wordsOf refuses "User" as a declared name: a human is a Person, an Agent or a Principal, each with one meaning.
func wordsOf(s source) (out []string) {
	if ast.IsGenerated(s.file) {
		return nil
	}
	complain := func(id *ast.Ident) {
		if id != nil && bannedWord.MatchString(id.Name) {
			out = append(out, fmt.Sprintf("%s declares %s: say Person, Agent or Principal (GLOSSARY.md)", s.fset.Position(id.Pos()), id.Name))
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			complain(n.Name)
		case *ast.TypeSpec:
			complain(n.Name)
		case *ast.Field:
			for _, id := range n.Names {
				complain(id)
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				complain(id)
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, e := range n.Lhs {
					if id, ok := e.(*ast.Ident); ok {
						complain(id)
					}
				}
			}
		}
		return true
	})
	return out
}

// commentsOf wants exactly one package comment a package, beginning as godoc expects.
func commentsOf(sources []source) (out []string) {
	docs := map[string]int{}
	for _, s := range sources {
		if strings.HasSuffix(s.name, "_test.go") {
			continue
		}
		docs[s.dir] += 0
		if s.file.Doc == nil || ast.IsGenerated(s.file) {
			continue
		}
		text := s.file.Doc.Text()
		if strings.HasPrefix(text, "Package "+s.file.Name.Name+" ") || s.file.Name.Name == "main" {
			docs[s.dir]++
		}
	}
	for dir, n := range docs {
		if n != 1 {
			out = append(out, fmt.Sprintf("%s has %d package comments, want one that begins with its charter", dir, n))
		}
	}
	return out
}
