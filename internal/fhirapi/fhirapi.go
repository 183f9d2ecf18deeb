// Package fhirapi is the FHIR R4 REST surface: one file for each interaction, all of them through the door.
//
// [Routes] gives the server what to mount. Each handler reads the request, calls one method of the [access.Gate] and writes the
// answer: it decides nothing itself and holds no patient data but what the Gate has opened. Whatever goes wrong is an
// OperationOutcome. An answer with patient data carries X-Audit-Entry, the entry that was durable before the answer was made.
// Source: https://hl7.org/fhir/R4/http.html.
package fhirapi

import (
	"net/http"
	"sync"
	"time"

	"chartwarden/internal/access"
)

// API answers FHIR requests by a Gate.
type API struct {
	Gate    *access.Gate
	Base    string // absolute base URL, such as https://host/fhir
	Zone    *time.Location
	Version string // of the software, for the CapabilityStatement
	Started time.Time

	stating   sync.Once
	stated    []byte // the CapabilityStatement
	statedErr error
}

// MaxBody is the largest body that is read: a transaction of a year's chart fits, a bomb does not.
const MaxBody = 64 << 20

// principal is who asks, with the reason code of X-Break-Glass where the request brings one.
func principal(r *http.Request) access.Principal {
	p := access.PrincipalFrom(r.Context())
	p.Glass = r.Header.Get("X-Break-Glass")
	return p
}
