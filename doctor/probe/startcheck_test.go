package probe_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/doctor/probe"
)

// One Kratos that stays away keeps nothing back that is to be said of another.
func TestEachRealmIsLookedAtOnceItsKratosAnswers(t *testing.T) {
	realm := func(name, key string) doctor.Realm {
		return doctor.Realm{Name: name, Key: key, Describe: func(map[string]any) doctor.Trait { return doctor.Trait{Known: true} }}
	}
	plain := doctor.Kratos{Version: "v1.3.1", Schemas: map[string]map[string]any{"person": {}}}
	unknown := doctor.Kratos{Version: "v0.1.0"}
	away := doctor.Kratos{AdminErr: errors.New("the connection is refused")}
	check := probe.NewReport(doctor.Setup{AdminHost: "0.0.0.0"}, []doctor.Realm{
		realm("PRIMARY", "kratos"), realm("STAFF", "realms[0]"),
	})
	for _, step := range []struct {
		what string
		seen map[string]doctor.Kratos
		says []string
	}{
		{"at once", nil, []string{"admin-listener-bound"}},
		{"one away", map[string]doctor.Kratos{"PRIMARY": plain, "STAFF": away}, []string{
			"sign-in-age-unasked PRIMARY", "trait-not-verifiable PRIMARY",
		}},
		{"still away", map[string]doctor.Kratos{"STAFF": away}, nil},
		{"both there", map[string]doctor.Kratos{"STAFF": unknown}, []string{"kratos-version STAFF"}},
	} {
		var says []string
		for _, f := range probe.Next(check, doctor.Database{}, step.seen) {
			says = append(says, f.ID)
			if f.Realm != "" {
				says[len(says)-1] += " " + f.Realm
			}
		}
		slices.Sort(says)
		if !slices.Equal(says, step.says) {
			t.Errorf("%s: says %q, want %q", step.what, says, step.says)
		}
	}
}
