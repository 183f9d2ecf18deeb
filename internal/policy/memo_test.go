package policy

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// What a bundle remembers is what the engine says, whenever it is asked again: on and around every instant and age that its rules name.
func TestRememberedIsDecided(t *testing.T) {
	rounds := 1_500
	if testing.Short() {
		rounds = 100
	}
	set := Default()
	if !set.lasting || len(set.clock.instants) == 0 || len(set.clock.ages) == 0 {
		t.Fatalf("the shipped rules are not understood: %+v", set.clock)
	}
	w := world{rand.New(rand.NewPCG(7, 7))}
	for range rounds {
		q := Request{w.principal(), pick(w, append(chartActions, Find, Break)...), w.relation(), w.resource(), w.context()}
		var moments []time.Time
		for _, instant := range set.clock.instants {
			if at, ok := instant.in(&q.Principal, &q.Relation); ok {
				moments = append(moments, time.UnixMilli(at-1), time.UnixMilli(at), time.UnixMilli(at+1))
			}
		}
		for range 2 {
			for _, now := range append(moments, q.Context.Now) {
				q.Context.Now = now
				for _, age := range append(slices.Clone(set.clock.ages), int64(q.Context.AuthAge)) {
					q.Context.AuthAge = int(max(0, age+pick(w, int64(-1), 0, 1)))
					want := set.decide(q)
					if got := set.Decide(q); !reflect.DeepEqual(got, want) {
						t.Fatalf("remembered %+v, decided %+v\n%+v", got, want, q)
					}
					if many := set.DecideEach(q.Principal, q.Action, q.Relation, q.Context, []Resource{q.Resource}); !reflect.DeepEqual(many[0], want) {
						t.Fatalf("of many %+v, decided %+v\n%+v", many[0], want, q)
					}
					if q.Action == Find || q.Action == Break {
						continue
					}
					if f, err := set.Filter(q.Principal, q.Action, q.Relation, q.Context); err != nil || f.Allows(q.Resource) != want.Allowed {
						t.Fatalf("filter %v, decided %+v\n%+v", err, want, q)
					}
				}
			}
		}
	}
}

// Whatever a rule can tell apart has a key of its own.
func TestEachFactStandsInTheKey(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	base := Request{Principal: Principal{Kind: Person, ID: "a", Roles: []string{"nurse"}, TrainingDue: at}, Action: Read, Relation: Relation{BTGUntil: at}, Resource: Resource{Type: "Patient"}, Context: Context{Now: at}}
	set := Default()
	key := func(q Request) string {
		return string(appendResource(set.clock.key(nil, &q.Principal, q.Action, &q.Relation, &q.Context), &q.Resource))
	}
	seen := map[string]string{key(base): "nothing"}
	for _, part := range []string{"Principal", "Relation", "Resource", "Context"} {
		typ := reflect.TypeOf(base)
		field, _ := typ.FieldByName(part)
		for i := range field.Type.NumField() {
			q := base
			f := reflect.ValueOf(&q).Elem().FieldByName(part).Field(i)
			switch x := f.Addr().Interface().(type) {
			case *string:
				*x += "x"
			case *bool:
				*x = !*x
			case *int:
				*x += 100_000
			case *[]string:
				*x = append(slices.Clone(*x), "physician")
			case *time.Time:
				*x = at.Add(1000 * time.Hour)
			default:
				t.Fatalf("%s.%s is of a kind that the key does not know", part, field.Type.Field(i).Name)
			}
			k, name := key(q), part+"."+field.Type.Field(i).Name
			if before, ok := seen[k]; ok {
				t.Errorf("%s stands in no key: as %s", name, before)
			}
			seen[k] = name
		}
	}
	lists := base
	lists.Principal.Roles, lists.Principal.Departments = nil, []string{"nurse"}
	if key(lists) == key(base) {
		t.Error("a role and a department of one name are alike")
	}
}

// A rule that asks the moment for more than before or after is evaluated each time.
func TestOddUsesOfTheMomentAreNotRemembered(t *testing.T) {
	for name, condition := range map[string]string{
		"equal":        `context.now == datetime("2026-01-01")`,
		"time of day":  `context.now.toTime() < duration("7h")`,
		"two moments":  `context.now < context.now.offset(duration("1h"))`,
		"arithmetic":   `context.authAge + 1 > 900`,
		"another fact": `context.authAge > context.rows`,
		"as a whole":   `context == context`,
	} {
		set, err := Load(edit(t, "treatment.cedar", `when { resource.chart.hasTag(principal.key) && resource.chart.getTag(principal.key).careTeam };`,
			`when { resource.chart.hasTag(principal.key) && resource.chart.getTag(principal.key).careTeam && `+condition+` };`))
		if err != nil {
			t.Logf("%s: refused by the loader: %v", name, err)
			continue
		}
		if set.lasting {
			t.Errorf("%s: answers would be remembered", name)
		}
	}
}
