// Package policies holds the shipped policy bundle as text: what this server permits and forbids, in words that a privacy officer
// reads and reviews.
//
// schema.cedarschema names everything that a policy may speak about, each .cedar file keeps one topic, and scenarios/*.txt say by
// example what must come out. Package policy loads the bundle and refuses one that breaks its rules:
//
//	set, err := policy.Load(policies.Files)
package policies

import "embed"

// Files is the bundle, rooted at this directory. It never changes at run time.
//
//go:embed schema.cedarschema *.cedar scenarios/*.txt
var Files embed.FS
