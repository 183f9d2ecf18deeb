package page

import "chartwarden/internal/web/look"

// SignInView is the page of somebody who is not signed in.
type SignInView struct {
	Banners  []look.Banner
	Hospital string // whose installation this is
	Login    string // refilled after a failure
	Problem  string // why the last try failed, the same words for an unknown name and a wrong password
	Next     string // opaque place to go on to, or empty
	Passkey  string // domain that passkeys are bound to; empty: there are none
	Provider string // what people call their account at the identity provider; empty: there is none
	Demo     bool   // offer the one-touch start page
}

// DemoView is the one-touch start page; it exists only in `chartwarden demo`.
type DemoView struct {
	Banners  []look.Banner
	Hospital string
	People   []DemoPerson
	Seats    []DemoSeat // where one may sit down; none: at this browser
}

// DemoSeat is a place from which a demonstration lets somebody work.
type DemoSeat struct{ Value, Name string }

// DemoPerson can be signed in by one touch.
type DemoPerson struct {
	ID, Name, Role string
	Icon           string // stethoscope, heart-pulse, id-card, receipt-text, shield-check, settings, user
	Try            string // one sentence: what to look at as this person
}

// EnrolView asks for a passkey, or for a password and a TOTP code, on one page. The page must be sent with no-store, as every page.
type EnrolView struct {
	Banners   []look.Banner
	Link      string // the last part of the one-time address
	Name      string // who enrols
	Login     string // with which she signs in later
	Secret    string // base32, shown in groups of four
	OTPAuth   string // otpauth://totp/...
	Passkey   string // domain that passkeys are bound to; empty: there are none
	MinLength int    // of the password
	Until     look.When
	Problem   string
}

// LockedView is the lock screen. It shows nothing of a patient.
type LockedView struct {
	Banners  []look.Banner
	Name     string
	Login    string // for password managers
	Role     string
	Because  string // "You locked it at 09:41", "Nobody was active for 10 minutes", "An administrator ended it"
	Passkey  string // domain that passkeys are bound to; empty: there are none
	Password bool   // ask for the password
	Code     bool   // ask for a TOTP code
	Provider string // as in SignInView
	Shared   bool   // people take turns at this workstation
	Others   []LockedPerson
	Else     bool         // the form is for somebody else than who locked it
	As       LockedPerson // of Others; without a name the form asks for one
	Problem  string
	Kept     bool // unsent text is kept
}

// LockedPerson has a session on a shared workstation.
type LockedPerson struct{ ID, Name string }

// groups writes a secret in groups of four, which is how people copy it.
func groups(secret string) string {
	var out []byte
	for i := range len(secret) {
		if i > 0 && i%4 == 0 {
			out = append(out, ' ')
		}
		out = append(out, secret[i])
	}
	return string(out)
}
