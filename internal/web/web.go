// Package web is the pages: it reads a request, asks the door, fills a view and draws it.
//
//	pages := web.New(web.Options{Gate: gate, Persons: people, ...})
//	routes := pages.Routes()            // what the server mounts, each with the policy action that it performs
//
// Nothing here decides: a refusal of the door is drawn as what, why and what now. Pages work without scripts; state changes are POST
// forms that answer with 303. Patient data never goes into an address or a title. Views and templates live in web/page, the look of
// everything in web/look.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/governance"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/scope"
	"chartwarden/internal/sso"
	"chartwarden/internal/staffing"
	"chartwarden/internal/training"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// Browser is what the server does for a session in a browser: where a request comes from, and the cookie.
type Browser interface {
	Arrival(r *http.Request) identity.Arrival
	Token(r *http.Request) string
	SetSession(w http.ResponseWriter, token string, ends time.Time)
	ClearSession(w http.ResponseWriter)
	SetActing(w http.ResponseWriter, item string, until time.Time)             // by which the person acts as another; empty: by none
	SetSeat(w http.ResponseWriter, r *http.Request, name string) *http.Request // of a demonstration: the request as one from that seat
}

// Options are the parts the pages stand on.
type Options struct {
	Gate       *access.Gate
	Persons    *identity.Store
	Office     *casework.Office
	Staffing   *staffing.Desk
	Rules      *governance.Rules
	Deciding   func() *policy.Set                    // the bundle in force
	School     *training.School                      // what people learn and sign
	State      func() audit.State                    // how the log stands, for banners
	Head       func() (note []byte, verifier string) // the newest signed head of the log and the key that it is checked with
	Browser    Browser
	Zone       *time.Location
	Now        func() time.Time
	Hospital   string // whose installation this is
	Base       string // as browsers see this server
	Sandbox    bool
	Demo       bool // the one-touch start page exists
	DemoList   func() []DemoPerson
	DemoSeat   func(person, seat string) string     // the name of a seat of the start page, for the browser; nil: everybody sits at this browser
	Drill      func() *Drill                        // the last restore drill; nil, or a nil answer: none is expected
	InWords    func(scope.Set) []page.ConsentLine   // what scopes let an app do
	Trouble    func(setting string) string          // what is wrong with a setting now; empty, or nil: nothing
	Standing   func() string                        // why detection stands still now; empty, or nil: it does not
	Watches    bool                                 // another system is watched, and there are no charts
	Feed       func(context.Context) (*Feed, error) // how its log comes; nil, or a nil answer: there is none
	Provider   *sso.Provider                        // identity provider by which people may sign in; nil: there is none
	Account    string                               // what people call their account there
	LinkSource string                               // who else knows people by the provider's link claim; empty: nobody
	Settings   []Setting                            // of this process, which never change while it runs
	Version    string
	Logger     *slog.Logger
}

// Setting is one setting as people read it.
type Setting struct {
	Group, Name, Variable, Value, Origin, Means, Change string
}

// DemoPerson is somebody whom the start page of a demonstration signs in by one touch.
type DemoPerson struct {
	ID, Name, Role, Capacity, Icon, Try string
}

// Pages answers every page of the browser. Safe for concurrent use.
type Pages struct {
	o    Options
	done chan struct{}
	once sync.Once

	handed      once[handed]     // what an administrator is shown one time
	asked       once[url.Values] // what was typed into a search
	codes       once[[]string]   // recovery codes that were just made
	complaints  once[complaint]  // why a note was not signed
	checks      checks           // of the whole log, since this process started
	endedApp    once[string]     // the app whose access a person just ended
	deviceSaid  once[deviceSaid] // what was just done with a device
	ended       once[string]     // how many sessions a person just ended
	arrived     once[string]     // the appointment that was just checked in
	began       time.Time
	names       staffNames   // of colleagues, as the directory tells them
	lessons     lessons      // of a minute, for the next page
	heard       heardAnswers // to requests for charts
	calledOff   once[string] // that an appointment was just called off
	moved       once[string] // what the last act about moves, leaves and rosters did
	recertified once[string] // what the last answer about somebody's rights did
}

// New prepares the pages.
func New(o Options) *Pages {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Pages{o: o, began: o.Now(), done: make(chan struct{}), asked: once[url.Values]{lasts: typedLasts}}
}

// Close ends the live streams, so that a server can drain.
func (p *Pages) Close() { p.once.Do(func() { close(p.done) }) }

// Routes lists every page with its action.
func (p *Pages) Routes() []access.Route {
	routes := []access.Route{{Method: "GET", Pattern: "/static/", Public: true, Handler: look.Static().ServeHTTP}}
	for _, family := range [][]access.Route{p.sessionRoutes(), p.providerRoutes(), p.mySignInRoutes(), p.myDevicesRoutes(), p.deviceRoutes(), p.machineRoutes(), p.careRoutes(), p.deskRoutes(), p.billingRoutes(), p.chartRoutes(), p.personRoutes(), p.trainingRoutes(), p.appRoutes(), p.privacyRoutes(), p.caseRoutes(), p.approvalRoutes(), p.downtimeRoutes(), p.colleagueRoutes(), p.actingRoutes(), p.recertifyRoutes(), p.policyRoutes(), p.adminRoutes(), p.moverRoutes()} {
		routes = append(routes, family...)
	}
	return routes
}
