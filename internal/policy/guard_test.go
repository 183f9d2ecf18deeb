package policy

import (
	"slices"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

// The care guard, in every state there is of zone, device, assurance, freshness and training: whoever has an open contact or a live grant, and
// signed in with two factors at a bedside or with a fresh one elsewhere, is asked nothing. On an unknown device on the internet a fresh
// factor comes first, and nothing else is asked then.
func TestCareGuard(t *testing.T) {
	states := 0
	for _, zone := range []string{Hospital, VPN, Internet, "moon"} {
		for _, device := range []string{Managed, Registered, Unknown, "toaster"} {
			for _, aal := range []int{1, 2, 3} {
				for _, age := range []int{0, 900, 901, 86_400} {
					for _, trained := range []bool{true, false} {
						for _, action := range []string{Read, Search, Write, Export, Print} {
							for _, link := range []string{"contact", "grant", "care team"} {
								states++
								r := physician()
								r.Action, r.Relation = action, Relation{}
								r.Context.Zone, r.Context.Device, r.Context.AAL, r.Context.AuthAge, r.Context.Approvals = zone, device, aal, age, 1
								if r.Principal.TrainingDue = r.Context.Now.Add(time.Hour); !trained {
									r.Principal.TrainingDue = r.Context.Now.Add(-time.Hour)
								}
								switch link {
								case "contact":
									r.Relation.OpenContact = true
								case "grant":
									r.Relation.BTGUntil = r.Context.Now.Add(time.Hour)
								default:
									r.Relation.CareTeam = true
								}
								known := device == Managed || device == Registered
								outside := zone != Hospital && zone != VPN
								stale := age > 900
								asked := !trained || !known && zone != Hospital && aal < 3 || outside && stale
								guarded := link != "care team" && slices.Contains([]string{Read, Search, Write}, action) && (known || !outside || !stale)
								want := aal >= 2 && (guarded || !asked)
								switch {
								case action == Export:
									want = want && !stale && link == "care team"
								case link == "grant": // the glass opens to reading only
									want = want && slices.Contains([]string{Read, Search}, action)
								}
								if d := Default().Decide(r); d.Allowed != want {
									t.Errorf("%s of a %s chart, zone %s, device %s, aal %d, %d s, trained %v: allowed %v, forbidden by %v", action, link, zone, device, aal, age, trained, d.Allowed, d.ForbidIDs())
								}
							}
						}
					}
				}
			}
		}
	}
	t.Log(states, "states")
}

// Whatever is asked of a physician before care can be met where she is: a fresh factor, training, a registered device, or the glass.
func TestNothingAskedIsADeadEnd(t *testing.T) {
	for _, zone := range []string{Hospital, VPN, Internet} {
		for _, device := range []string{Managed, Registered, Unknown} {
			for _, age := range []int{0, 901} {
				r := physician()
				r.Context.Zone, r.Context.Device, r.Context.AAL, r.Context.AuthAge = zone, device, 2, age
				ways := Default().Ways(r)
				if !Default().Decide(r).Allowed && !slices.Contains(ways, outcome.StepUp) && !slices.Contains(ways, outcome.BreakGlass) && !slices.Contains(ways, outcome.StepUpThenGlass) {
					t.Errorf("zone %s, device %s, %d s: %v", zone, device, age, ways)
				}
			}
		}
	}
}
