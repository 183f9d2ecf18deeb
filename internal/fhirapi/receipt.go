package fhirapi

import (
	"net/http"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
)

// receipt answers with the proof that an entry is in the log: entry bytes, inclusion path and signed head, in the C2SP text form, so
// that whoever keeps it can show later that the log was rewritten. It is for the entry's own agent, its patient, and those who read
// the audit; everybody else gets the same answer as for an entry that does not exist. Source: https://c2sp.org/tlog-proof.
func (a *API) receipt(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("entry")
	cut := strings.LastIndexByte(name, '/')
	number, err := strconv.ParseInt(name[cut+1:], 10, 64)
	if cut <= 0 || err != nil {
		Fail(w, outcome.New(outcome.NotFound, "there is no such entry, or it is not yours to read"))
		return
	}
	found, err := a.Gate.AuditEntry(r.Context(), principal(r), name[:cut], number)
	if err != nil {
		Fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Audit-Entry", found.Reading)
	proof := found.Proof
	proof.Extra = found.Bytes // what the path leads from
	_, _ = w.Write(proof.Text())
}
