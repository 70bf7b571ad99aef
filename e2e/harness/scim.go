package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// SCIM is where the bridge is.
const SCIM = "/scim2"

// The URNs that SCIM's bodies name.
const (
	UserSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	EnterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	PatchOpSchema    = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	ErrorSchema      = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// SCIMBody is the header of a SCIM request.
var SCIMBody = Header{"Content-Type", "application/scim+json", "Accept", "application/scim+json"}

var (
	tokens     atomic.Int32
	tokenShown = regexp.MustCompile(`(?m)^token: (\S+)$`)
)

// Token makes a token with what the arguments add, such as --privileged. Without a
// --scope among them it may read and write.
func (s *Stack) Token(t testing.TB, args ...string) string {
	t.Helper()
	all := append([]string{
		"token", "create", "--name", fmt.Sprintf("e2e-%d", tokens.Add(1)),
	}, args...)
	if !slices.Contains(args, "--scope") {
		all = append(all, "--scope", "scim:read", "--scope", "scim:write")
	}
	shown := tokenShown.FindStringSubmatch(s.Command(t, all...))
	if shown == nil {
		t.Fatal("holdline token create printed no token")
	}
	return shown[1]
}

// Command runs the program with the stack's configuration and returns what it
// printed.
func (s *Stack) Command(t testing.TB, args ...string) string {
	t.Helper()
	printed, err := s.TryCommand(args...)
	if err != nil {
		t.Fatalf("holdline %s: %v: %s", args[0], err, stderr(err))
	}
	return printed
}

// TryCommand is Command for what may fail. A program that does not end is killed.
func (s *Stack) TryCommand(args ...string) (string, error) {
	return Run(append(args, "--config", s.Holdline.config)...)
}

// Run runs a command that knows nothing of a stack.
func Run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	printed, err := exec.CommandContext(ctx, Env.HoldlineBin, args...).Output()
	return string(printed), err
}

// Stderr is what a command that failed said.
func Stderr(err error) string { return stderr(err) }

// ByClient is a client's bearer token.
func ByClient(token string) Header { return Header{"Authorization", "Bearer " + token} }

// SCIM calls the bridge. The path is within it.
func (s *Stack) SCIM(t testing.TB, method, path, body string, headers ...Header) Answer {
	t.Helper()
	return Send(t, method, s.Holdline.PublicURL+SCIM+path, body, append([]Header{SCIMBody}, headers...)...)
}

// TrySCIMAt calls one of several replicas, for where a test cannot be ended.
func TrySCIMAt(h *Holdline, method, path, body string, headers ...Header) (Answer, error) {
	return TrySend(method, h.PublicURL+SCIM+path, body, append([]Header{SCIMBody}, headers...)...)
}

// SCIM calls the bridge as the person, by the session token.
func (p *Person) SCIM(t testing.TB, method, path, body string, headers ...Header) Answer {
	t.Helper()
	return p.stack.SCIM(t, method, path, body, append([]Header{p.ByToken()}, headers...)...)
}

// SCIMByPassword calls the bridge as the person, by HTTP Basic.
func (p *Person) SCIMByPassword(t testing.TB, method, path, body string, headers ...Header) Answer {
	t.Helper()
	return p.stack.SCIM(t, method, path, body, append([]Header{p.ByPassword()}, headers...)...)
}

// SCIMUser is a user as the bridge shows it.
type SCIMUser struct {
	Schemas      []string `json:"schemas"`
	ID           string   `json:"id"`
	UserName     string   `json:"userName"`
	DisplayName  string   `json:"displayName"`
	NickName     string   `json:"nickName"`
	Title        string   `json:"title"`
	Active       bool     `json:"active"`
	PhoneNumbers []struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	} `json:"phoneNumbers"`
	Name struct {
		GivenName  string `json:"givenName"`
		FamilyName string `json:"familyName"`
	} `json:"name"`
	Meta struct {
		ResourceType string `json:"resourceType"`
		Location     string `json:"location"`
		Version      string `json:"version"`
	} `json:"meta"`
	Enterprise map[string]any `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

// SCIMUser reads a user out of an answer.
func (a Answer) SCIMUser(t testing.TB) SCIMUser {
	t.Helper()
	var u SCIMUser
	a.JSON(t, &u)
	return u
}

// Mobile is the mobile number, or blank.
func (u SCIMUser) Mobile() string {
	for _, number := range u.PhoneNumbers {
		if number.Type == "mobile" {
			return number.Value
		}
	}
	return ""
}

// Pending is the number that is shown as pending, or blank.
func (u SCIMUser) Pending() string {
	pending, _ := u.Enterprise["pendingMobileNumber"].(string)
	return pending
}

// SCIMList is a list as the bridge answers with.
type SCIMList struct {
	Schemas      []string   `json:"schemas"`
	TotalResults int        `json:"totalResults"`
	StartIndex   int        `json:"startIndex"`
	ItemsPerPage int        `json:"itemsPerPage"`
	Resources    []SCIMUser `json:"Resources"`
}

// SCIMFault is SCIM's error body.
type SCIMFault struct {
	Schemas  []string `json:"schemas"`
	Status   string   `json:"status"`
	ScimType string   `json:"scimType"`
	Detail   string   `json:"detail"`
}

// SCIMFault reads the error body; the second result tells what is wrong with its
// form, or is blank.
func (a Answer) SCIMFault() (SCIMFault, string) {
	var f SCIMFault
	switch err := json.Unmarshal([]byte(a.Body), &f); {
	case err != nil:
		return f, fmt.Sprintf("no JSON: %v", err)
	case !slices.Equal(f.Schemas, []string{ErrorSchema}):
		return f, fmt.Sprintf("schemas %q", f.Schemas)
	case f.Status != strconv.Itoa(a.Status):
		return f, fmt.Sprintf("status %q in an answer %d", f.Status, a.Status)
	case f.Detail == "":
		return f, "no detail"
	case !strings.HasPrefix(a.Header.Get("Content-Type"), "application/scim+json"):
		return f, "content type " + a.Header.Get("Content-Type")
	}
	return f, ""
}
