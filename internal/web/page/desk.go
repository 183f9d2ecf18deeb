package page

import "chartwarden/internal/web/look"

// DeskView is the front desk's day: who is expected, who is here.
type DeskView struct {
	Shell               look.Shell
	Day                 look.When
	Today               bool
	Before, After, Back look.Link // other days
	Views               []look.Link
	Shown               string    // the current view: Expected
	Rows                []DeskRow // by time
	Total               int
	All                 look.Link // the rest of the rows
	Done                string    // what was just done: "Okafor, Maren is checked in."
	Here                string    // address of this list
}

// DeskRow is one appointment, without anything clinical.
type DeskRow struct {
	Href, Name, About string
	At                string    // 09:30, in a day's list
	When              look.When // in a patient's list
	Where, With       string    // Cardiology clinic; Priya Iyer
	State             string    // Booked, Checked in
	Late              string    // Expected 20 minutes ago
	Missed            bool      // it was time, and the patient is not here
	CheckIn           string    // opaque id of the appointment; empty: nothing to do
}

// RegisterView is the form for somebody new, refilled from its body, and then the check for who that might be already.
type RegisterView struct {
	Shell                     look.Shell
	Family, Given, Born, Sex  string
	Phone, Mail               string
	Street, City, Postcode    string
	Problem, Token, BornWords string
	Checked                   bool
	Hits                      []Hit
}

// DeskPatientView is one patient as the desk knows her.
type DeskPatientView struct {
	Shell       look.Shell
	Path        string
	Name        string
	Version     string // of the Patient, to notice another's change
	Facts       []look.Fact
	Contact     RegisterView
	Kin         []Item
	Bookings    []DeskRow
	BookingsAll int
}

// AccountView is the billing part of a patient's chart.
type AccountView struct {
	Shell     look.Shell
	Name      string
	Facts     []look.Fact
	Coverages []Coverage
	Accounts  []Item
	Claims    []Claim
	ClaimsAll int
}

// Coverage is who pays.
type Coverage struct{ Payer, Kind, Member, Relation, State, Span string }

// Claim is one claim, or what a payer answered to one.
type Claim struct {
	Kind, Service, By, To, State, Total string
	Sent                                look.When
	Diagnoses, Items                    []Code
}

// Code is a code with its word.
type Code struct{ Code, Word string }

var sexWords = []Option{{Value: "female", Name: "Female"}, {Value: "male", Name: "Male"}, {Value: "other", Name: "Other"}, {Value: "unknown", Name: "Not known"}}

// facts are what will be registered.
func (v RegisterView) facts() (out []look.Fact) {
	for _, f := range []look.Fact{{Name: "Name", Value: v.Family + ", " + v.Given}, {Name: "Born", Value: v.BornWords}, {Name: "Sex", Value: pickedName(sexWords, v.Sex)},
		{Name: "Phone", Value: v.Phone}, {Name: "Mail", Value: v.Mail}, {Name: "Address", Value: join(", ", v.Street, join(" ", v.Postcode, v.City))}} {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

func pickedName(os []Option, value string) string {
	for _, o := range os {
		if o.Value == value {
			return o.Name
		}
	}
	return ""
}
