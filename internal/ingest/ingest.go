// Package ingest reads recorded logs and their context, of this system or of another, and has them judged.
//
// [Event] reads one AuditEvent, [Resource] one resource of the context. Both scan for the dozen fields that
// detection asks and skip the rest; what cannot be read is counted and kept with its reason, and never stops the run.
package ingest
