package doctor_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/doctor"
)

// Pages that may call the user API have to be of the cookie's site, and Holdline has to
// see the cookie, whether or not people are led to its own page.
func TestSitesNeedTheCookie(t *testing.T) {
	for name, tt := range map[string]struct {
		sites []string
		set   map[string]any // in kratos.yml
		want  []string
	}{
		"none":                  {nil, nil, nil},
		"a neighbour":           {[]string{"https://account.example.com", "https://example.com:8443", "https://id.example.com"}, nil, nil},
		"another domain":        {[]string{"https://account.example.com", "https://example.org"}, nil, []string{"cors-origin-of-another-site"}},
		"another scheme":        {[]string{"http://account.example.com"}, nil, []string{"cors-origin-of-another-site"}},
		"an address":            {[]string{"https://192.0.2.1"}, nil, []string{"cors-origin-of-another-site"}},
		"a cookie for all":      {[]string{"https://example.org"}, map[string]any{"session.cookie.same_site": "None"}, nil},
		"a cookie for all, old": {[]string{"https://example.org"}, map[string]any{"cookies.same_site": "None"}, nil},
		"Holdline is elsewhere": {[]string{"https://account.example.com"}, map[string]any{"session.cookie.domain": "kratos.example.com"}, []string{"session-cookie-domain"}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := good(t)
			for key, value := range tt.set {
				put(t, tree, key, value)
			}
			r := realm()
			r.Hook.ReturnURL, r.Sites = "", tt.sites
			r.File = kratosYML(t, fill(t, t.TempDir(), tree))
			found := doctor.Examine(doctor.Evidence{Setup: setup(), Realms: []doctor.Realm{r}})
			got := append(ids(found, doctor.Failure), ids(found, doctor.Warning)...)
			got = slices.DeleteFunc(got, func(id string) bool {
				return !slices.Contains([]string{"cors-origin-of-another-site", "session-cookie-domain"}, id)
			})
			if diff := cmp.Diff(tt.want, got, cmpNil); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// cmpNil takes a list without entries for none.
var cmpNil = cmp.Transformer("entries", func(all []string) []string { return append([]string{}, all...) })
