package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// Bundle is the text of a bundle by file name: schema.cedarschema, *.cedar, scenarios/*.txt and, if there is one, [HouseFile]. It is itself a file system, for [Load].
type Bundle map[string]string

const (
	schemaFile = "schema.cedarschema"
	// mostText bounds the text of a bundle; the shipped one has 60 kB.
	mostText = 1 << 20
)

// Gather reads the files of a bundle into memory and leaves everything else out. Errors: outcome.Invalid, outcome.TooLong.
func Gather(from fs.FS) (Bundle, error) {
	out, size := Bundle{}, 0
	for _, pattern := range []string{schemaFile, "*.cedar", "scenarios/*.txt", HouseFile} {
		names, err := fs.Glob(from, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if !fileName.MatchString(name) { // a name with a line feed could stand for two files in the hash
				return nil, outcome.New(outcome.Invalid, "a file of rules has a name of small letters, digits, - and _, and ends with .cedar or .txt")
			}
			text, err := fs.ReadFile(from, name)
			if err != nil {
				return nil, outcome.Wrap("policy: gather", outcome.Invalid, name+" cannot be read", err)
			}
			if size += len(text); size > mostText {
				return nil, outcome.New(outcome.TooLong, "the bundle is larger than 1 MiB")
			}
			out[name] = string(text)
		}
	}
	return out, nil
}

// Unpack reads what [Bundle.Pack] wrote. Errors: outcome.Invalid.
func Unpack(packed []byte) (out Bundle, err error) {
	if err := json.Unmarshal(packed, &out); err != nil {
		return nil, outcome.Wrap("policy: unpack", outcome.Invalid, "this is no bundle", err)
	}
	for name := range out {
		if !fileName.MatchString(name) {
			return nil, outcome.New(outcome.Invalid, "a file of this bundle has a name that no bundle has")
		}
	}
	return out, nil
}

// fileName is how files of a bundle are called.
var fileName = regexp.MustCompile(`^([a-z0-9_-]+\.(cedar|cedarschema)|scenarios/[a-z0-9_-]+\.txt|roles\.txt)$`)

// Pack is the bundle as one JSON object of texts by name; equal bundles pack to equal bytes.
func (b Bundle) Pack() []byte {
	out, err := json.Marshal(b)
	if err != nil {
		panic(err) // strings always marshal
	}
	return out
}

// Hash identifies the bundle by its content, whether it loads or not; see [Set.Hash].
func (b Bundle) Hash() string {
	return hashOf(slices.Insert(filesOf(b), 0, schemaFile), func(name string) string { return b[name] })
}

// filesOf are the files of a bundle beside the schema, in the order of its hash.
func filesOf(bundle fs.FS) (out []string) {
	for _, pattern := range []string{"*.cedar", "scenarios/*.txt", HouseFile} {
		found, _ := fs.Glob(bundle, pattern) // the patterns are well formed
		out = append(out, found...)
	}
	return out
}

// Names lists the files, the rules first, sorted.
func (b Bundle) Names() []string {
	out := slices.Sorted(maps.Keys(b))
	slices.SortStableFunc(out, func(x, y string) int { return kindOf(x) - kindOf(y) })
	return out
}

func kindOf(name string) int {
	switch {
	case strings.HasSuffix(name, ".cedar"):
		return 0
	case name == HouseFile:
		return 1
	case name == schemaFile:
		return 3
	}
	return 2
}

// hashOf is SHA-256 over each file: name, length, text.
func hashOf(names []string, text func(string) string) string {
	sum := sha256.New()
	for _, name := range names {
		t := text(name)
		fmt.Fprintf(sum, "%s %d\n%s", name, len(t), t)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Open gives a file; it makes a Bundle an [fs.FS].
func (b Bundle) Open(name string) (fs.File, error) {
	text, ok := b[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return file{name, strings.NewReader(text)}, nil
}

// ReadFile gives the text of a file.
func (b Bundle) ReadFile(name string) ([]byte, error) {
	text, ok := b[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

// Glob lists the files whose names match, sorted.
func (b Bundle) Glob(pattern string) (out []string, err error) {
	for name := range b {
		ok, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

type file struct {
	name string
	*strings.Reader
}

func (f file) Stat() (fs.FileInfo, error) { return f, nil }
func (f file) Close() error               { return nil }
func (f file) Name() string               { return path.Base(f.name) }
func (f file) Mode() fs.FileMode          { return 0o444 }
func (f file) ModTime() time.Time         { return time.Time{} }
func (f file) IsDir() bool                { return false }
func (f file) Sys() any                   { return nil }
