package page

import "chartwarden/internal/web/look"

// AccountLine is how a person's account at the identity provider stands.
type AccountLine struct {
	Words      string // what people call such an account; empty: there is no provider
	Host       string // of the provider
	Linked     bool
	Name       string // of the account
	Made, Used look.When
}

// LinkAccountView sends a person to the provider, to show which account is hers.
type LinkAccountView struct {
	Shell   look.Shell
	Words   string
	Host    string
	Address string // at the provider
}

// UnlinkedView tells somebody that an account is nobody's here.
type UnlinkedView struct {
	Banners []look.Banner
	Words   string
}

// SignedOutView tells somebody that she is signed out here, and leads on to where she signs out at the provider. There is that address; empty:
// the provider cannot be reached.
type SignedOutView struct {
	Banners      []look.Banner
	Words, There string
}

// SecondFactorView asks for the own second factor after the provider showed one.
type SecondFactorView struct {
	Banners []look.Banner
	Words   string
	Name    string // whose sign-in it is
	Passkey string // domain that passkeys are bound to; empty: there are none
	Problem string
}
