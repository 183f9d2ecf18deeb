package page

import "chartwarden/internal/web/look"

// PasskeyButton asks the browser for a passkey, or for a new one, and sends the answer with the form that it stands in.
type PasskeyButton struct {
	Site     string // domain that passkeys are bound to; empty shows nothing
	Ask      string // address of the question, by POST
	Into     string // field for the answer; empty: passkey
	Words    string
	Creates  bool
	First    bool // it is what most people want
	Wide     bool
	Autofill bool // the browser may offer passkeys while the sign-in name is chosen
}

func (b PasskeyButton) into() string {
	if b.Into == "" {
		return "passkey"
	}
	return b.Into
}

func (b PasskeyButton) kind() string {
	if b.Creates {
		return "create"
	}
	return "get"
}

// MySignInView is how a person signs in.
type MySignInView struct {
	Shell    look.Shell
	Told     []ToldLine // what was done to it
	Unseen   bool       // some of that can be put aside now
	Own      bool       // some of that was done during this session, which cannot put it aside
	Passkeys []PasskeyLine
	Possible bool // passkeys can be made under this address
	Password bool // password and authenticator are set
	Account  AccountLine
	Codes    []string
	HasCodes bool
	Recovery string // how the recovery codes stand, in words
	Problem  string
}

// ToldLine is one thing that was done to a person's sign-in.
type ToldLine struct {
	What string
	When look.When
	Seen bool // a later session said so
}

// PasskeyLine is one passkey.
type PasskeyLine struct {
	ID, Name, Kind string
	Made, Used     look.When
	Suspect        bool
}

// AddPasskeyView makes one more.
type AddPasskeyView struct {
	Shell   look.Shell
	Site    string
	Problem string
}

// RecoverView takes a recovery code.
type RecoverView struct {
	Banners []look.Banner
	Login   string
	Problem string
}
