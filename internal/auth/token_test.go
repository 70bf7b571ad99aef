package auth_test

import (
	"crypto/rand"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/storetest"
)

func mint() string {
	var secret auth.TokenSecret
	_, _ = rand.Read(secret[:])
	return secret.Mint()
}

func TestTokensHaveAFormThatIsRecognised(t *testing.T) {
	form := regexp.MustCompile(`^hlt_[A-Za-z0-9_-]{48}$`) // as in docs/admin.md
	for range 100 {
		if token := mint(); !form.MatchString(token) {
			t.Fatalf("got %q", token)
		}
	}
	const want = "hlt_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8Pq3jC"
	var secret auth.TokenSecret
	for i := range secret {
		secret[i] = byte(i)
	}
	if got := secret.Mint(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A slip costs no look into the store: the checksum tells.
func TestASlipIsNoToken(t *testing.T) {
	store := &storetest.Tokens{}
	clients := auth.New(auth.Options{Tokens: store, Now: time.Now})
	rapid.Check(t, func(t *rapid.T) {
		token := []byte(mint())
		i := rapid.IntRange(0, len(token)-1).Draw(t, "place")
		other := rapid.Byte().Draw(t, "other")
		if token[i] == other {
			return
		}
		token[i] = other
		before := store.Looks()
		if _, err := clients.Client(t.Context(), string(token), ""); err == nil || store.Looks() != before {
			t.Errorf("%q: %v after %d looks", token, err, store.Looks()-before)
		}
	})
}

func TestDigestsReadBack(t *testing.T) {
	digest := auth.DigestToken("abc") // FIPS 180-2, appendix B.1
	if got := digest.String(); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("got %s", got)
	}
	if got, err := auth.ParseTokenDigest(strings.ToUpper(digest.String())); err != nil || got != digest {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "abc", digest.String()[1:], digest.String() + "00", "x" + digest.String()[1:]} {
		if _, err := auth.ParseTokenDigest(bad); err == nil {
			t.Errorf("%q is a digest", bad)
		}
	}
}

func TestWhatATokenHasMade(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	made := func(name, by string, n int) auth.Token {
		return auth.Token{Name: name, CreatedBy: by, CreatedAt: day(n)}
	}
	former, revoked, over := made("former", "anna", 1), made("revoked", "anna", 3), made("over", "anna", 3)
	revoked.RevokedAt, over.ExpiresAt = day(4), day(4)
	anna := made("anna", "zoe", 2)
	all := []auth.Token{
		anna, former, revoked, over, made("by-revoked", "revoked", 3), made("anna", "by-revoked", 3), made("direct", "anna", 2), made("other", "", 3), made("zoe", "direct", 5),
	}
	var names []string
	for _, token := range auth.MadeBy(all, anna, day(6)) {
		names = append(names, token.Name)
	}
	// Not former: another token had the name when it was made.
	slices.Sort(names)
	if want := []string{"by-revoked", "direct", "zoe"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestWhatATokenMayBeMadeOf(t *testing.T) {
	read, write := auth.ScopeSCIMRead, auth.ScopeSCIMWrite
	for name, tt := range map[string]struct {
		name   string
		scopes []auth.Scope
		faults []string
	}{
		"one scope":           {"okta", []auth.Scope{read}, nil},
		"twice, in disorder":  {"o.k-t_A9", []auth.Scope{write, read, write}, nil},
		"longest name":        {strings.Repeat("a", 64), []auth.Scope{read}, nil},
		"no name, no scope":   {"", nil, []string{"the name", "a scope is needed"}},
		"name too long":       {strings.Repeat("a", 65), []auth.Scope{read}, []string{"the name"}},
		"name with a blank":   {"ok ta", []auth.Scope{read}, []string{"the name"}},
		"name with a line":    {"okta\n", []auth.Scope{read}, []string{"the name"}},
		"unknown scopes":      {"okta", []auth.Scope{read, "scim:*", ""}, []string{`"scim:*"`, `""`}},
		"scope in other case": {"okta", []auth.Scope{"SCIM:read"}, []string{`"SCIM:read"`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := auth.NewToken(tt.name, auth.DigestToken("x"), tt.scopes, true, time.Time{})
			if (err != nil) != (tt.faults != nil) {
				t.Fatalf("got %v", err)
			}
			for _, fault := range tt.faults {
				if !strings.Contains(err.Error(), fault) {
					t.Errorf("got %v, want %q", err, fault)
				}
			}
			if err != nil {
				return
			}
			for _, scope := range auth.Scopes() {
				if want := slices.Contains(tt.scopes, scope); got.Has(scope) != want {
					t.Errorf("%s: got %v", scope, got.Has(scope))
				}
			}
			if diff := cmp.Diff(audit.Actor{Kind: audit.Privileged, ID: tt.name, ClientIP: "192.0.2.1"}, got.Actor("192.0.2.1")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
