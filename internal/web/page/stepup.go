package page

import "chartwarden/internal/web/look"

// StepUpView asks for a passkey or a code once more, then repeats what was asked for.
type StepUpView struct {
	Shell    look.Shell
	Why      string  // empty: because the act changes who may do what
	Action   string  // POST address: the act itself, or /step-up
	Hidden   []Field // what the act was asked with
	Back     string
	Passkey  PasskeyButton
	Provider string // address that asks the identity provider; empty: there is none
	Account  string // what people call their account there
	Demo     bool   // persons of a demonstration have no factor: they choose themselves again
	Problem  string
}

// Field is one field of a form that travels along.
type Field struct{ Name, Value string }
