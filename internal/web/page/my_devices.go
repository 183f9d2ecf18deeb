package page

import "chartwarden/internal/web/look"

// MyDevicesView is where the signed-in person is signed in, and where she was.
type MyDevicesView struct {
	Shell   look.Shell
	Here    SessionHere
	Others  []SessionHere
	Used    []UsedLine
	Ended   string // what was just ended: "One session was ended."
	Problem string
	Asked   []DeviceAskLine
	Nonce   string // for who may ask that this device is registered; empty: not
}

// DeviceAskLine is a request of the person that a device is registered.
type DeviceAskLine struct {
	ID   string // to withdraw it; empty once it was answered
	Name string
	Says string // what became of it
	When look.When
	Here bool
}

// SessionHere is one live session of the person.
type SessionHere struct {
	ID      string
	Browser string // Firefox on Windows
	Device  string // a managed device
	Posture string // what its machine said of itself, or why it is not managed; empty: nothing
	Place   string // in the hospital
	Proof   string // two factors
	As      string // as a patient; empty for who is here in one capacity only
	Since   look.When
	Last    look.When
	Locked  bool
}

// UsedLine is a device at which the person signed in.
type UsedLine struct {
	Browser     string
	Place       string
	First, Last look.When
	Times       string // 12 sign-ins
	Here        bool
}
