package look

// Counts are the things waiting that navigation shows.
type Counts struct {
	ToSign  int // notes to sign, in My day
	Answers int // own openings that still want a reason, in My activity
	Reviews int // openings waiting for review
	Cases   int // cases waiting for the privacy office
	People  int // persons and approvals waiting for an administrator
	Asks    int // requests of colleagues about patients of this person
	// Approvals are acts that wait for this person's word.
	Approvals int
}

// CareNav is the navigation of people who give care or work at the desk; at is the current page's label.
func CareNav(at string, c Counts) []NavItem {
	nav := []NavItem{
		{Label: "My day", Href: "/day", Icon: "calendar-days", Count: c.ToSign},
		{Label: "Find", Href: "/find", Icon: "search"},
		{Label: "Colleagues", Href: "/colleagues", Icon: "users", Count: c.Asks},
		{Label: "My activity", Href: "/activity", Icon: "eye", Count: c.Answers},
	}
	if c.Approvals > 0 || at == "Approvals" { // seldom
		nav = append(nav, NavItem{Label: "Approvals", Href: "/approvals", Icon: "circle-check", Count: c.Approvals})
	}
	return mark(at, nav)
}

// DeskNav is the navigation of the front desk.
func DeskNav(at string) []NavItem {
	return mark(at, []NavItem{
		{Label: "Desk", Href: "/desk", Icon: "id-card"},
		{Label: "Find", Href: "/find", Icon: "search"},
		{Label: "Restrictions", Href: "/desk/restrictions", Icon: "lock"},
		{Label: "My activity", Href: "/activity", Icon: "eye"},
	})
}

// BillingNav is the navigation of patient accounts.
func BillingNav(at string) []NavItem {
	return mark(at, []NavItem{
		{Label: "Billing", Href: "/billing", Icon: "receipt-text"},
		{Label: "My activity", Href: "/activity", Icon: "eye"},
	})
}

// PrivacyNav is the navigation of privacy officers and auditors.
func PrivacyNav(at string, c Counts) []NavItem {
	return mark(at, []NavItem{
		{Label: "Overview", Href: "/privacy", Icon: "layout-dashboard"},
		{Label: "Cases", Href: "/privacy/cases", Icon: "folder-search", Count: c.Cases},
		{Label: "Reviews", Href: "/privacy/reviews", Icon: "clipboard-list", Count: c.Reviews},
		{Label: "Approvals", Href: "/approvals", Icon: "circle-check", Count: c.Approvals},
		{Label: "Audit explorer", Href: "/audit", Icon: "history"},
		{Label: "Integrity", Href: "/integrity", Icon: "shield-check"},
		{Label: "Rules", Href: "/policy", Icon: "book-open-check"},
		{Label: "My activity", Href: "/activity", Icon: "eye", Count: c.Answers, Apart: true},
	})
}

// AdminNav is the navigation of administrators, who see no patient data.
func AdminNav(at string, c Counts) []NavItem {
	return mark(at, []NavItem{
		{Label: "People", Href: "/admin/people", Icon: "users", Count: c.People},
		{Label: "Training", Href: "/admin/training", Icon: "clipboard-list"},
		{Label: "Approvals", Href: "/approvals", Icon: "circle-check", Count: c.Approvals},
		{Label: "Integrity", Href: "/integrity", Icon: "shield-check"},
		{Label: "Rules", Href: "/policy", Icon: "book-open-check"},
		{Label: "Devices", Href: "/admin/devices", Icon: "monitor"},
		{Label: "Configuration", Href: "/admin/configuration", Icon: "settings"},
		{Label: "My activity", Href: "/activity", Icon: "eye", Apart: true},
	})
}

// PatientNav is the navigation of the patient portal.
func PatientNav(at string) []NavItem {
	return mark(at, []NavItem{{Label: "Who looked", Href: "/me", Icon: "eye"}})
}

func mark(at string, items []NavItem) []NavItem {
	for i := range items {
		items[i].Current = items[i].Label == at
	}
	return items
}
