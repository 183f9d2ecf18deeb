package page

import "chartwarden/internal/web/look"

// DevicesView is the registry of devices.
type DevicesView struct {
	Shell   look.Shell
	Devices []DeviceLine
	May     bool // this person registers and ends
	Nonce   string
	Code    *DeviceLink // one that was just made, shown once
	Done    string      // what was just done
	Problem string
}

// DeviceLine is one device.
type DeviceLine struct {
	ID, Name string
	Mark     look.Mark
	Since    look.When
	Seen     look.When // zero: never
	By       string
	Active   bool // it is registered
	Lost     bool
	Reported string    // what its machine said of itself; empty: nothing
	At       look.When // when
	Lacks    string    // why it is not managed
}

// DeviceLink is a one-time code as an address.
type DeviceLink struct {
	URL, Name string
	Until     look.When
}

// EnrolDeviceView is the page behind a one-time code.
type EnrolDeviceView struct {
	Banners []look.Banner
	Code    string
	Name    string
	Nonce   string
	Done    bool
	Problem string
}
