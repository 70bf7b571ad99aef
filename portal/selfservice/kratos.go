package selfservice

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
)

var (
	errSignedOut   = errors.New("selfservice: the browser has no session")
	errFlowGone    = errors.New("selfservice: the flow is over or was never there")
	errForeignFlow = errors.New("selfservice: the flow was begun by another browser")
)

// kratos is the part of Kratos' public API that the pages need.
type kratos struct {
	remote
	base string
}

// identity is what a person may see of themselves.
type identity struct {
	Traits    map[string]any `json:"traits"`
	Addresses []struct {
		Value    string `json:"value"`
		Via      string `json:"via"`
		Verified bool   `json:"verified"`
	} `json:"verifiable_addresses"`
	MetadataPublic map[string]any `json:"metadata_public"`
}

// text returns a member that may be missing or no string.
func text(members map[string]any, name string) string {
	s, _ := members[name].(string)
	return s
}

// verified reports whether a number of the identity is.
func (i identity) verified(number string) bool {
	for _, a := range i.Addresses {
		if a.Via == "sms" && a.Value == number {
			return a.Verified
		}
	}
	return false
}

// whoami returns the browser's identity, or errSignedOut.
func (k kratos) whoami(c *gin.Context) (identity, error) {
	got, err := k.get(c, k.base+"/sessions/whoami")
	if err != nil {
		return identity{}, err
	}
	if got.Status == http.StatusUnauthorized {
		return identity{}, errSignedOut
	}
	var session struct {
		Identity identity `json:"identity"`
	}
	err = got.read(&session)
	return session.Identity, err
}

// flow is a self-service flow as Kratos wants it shown.
type flow struct {
	UI struct {
		Action   string    `json:"action"`
		Method   string    `json:"method"`
		Nodes    []node    `json:"nodes"`
		Messages []message `json:"messages"`
	} `json:"ui"`
	Identity identity `json:"identity"` // of a settings flow
}

// flow reads a flow. Errors: errFlowGone, errForeignFlow, errSignedOut.
func (k kratos) flow(c *gin.Context, kind, id string) (flow, error) {
	got, err := k.get(c, k.base+"/self-service/"+kind+"/flows?"+url.Values{"id": {id}}.Encode())
	if err != nil {
		return flow{}, err
	}
	var f flow
	switch got.Status {
	case http.StatusNotFound, http.StatusGone:
		return f, errFlowGone
	case http.StatusForbidden:
		return f, errForeignFlow
	case http.StatusUnauthorized:
		return f, errSignedOut
	default:
		err = got.read(&f)
		return f, err
	}
}

// start is where a browser begins a flow.
func (k kratos) start(kind string) string { return k.base + "/self-service/" + kind + "/browser" }

// logout returns the link that ends the browser's session. Its token keeps other
// sites from using it.
func (k kratos) logout(c *gin.Context) (string, error) {
	got, err := k.get(c, k.base+"/self-service/logout/browser")
	if err != nil {
		return "", err
	}
	var link struct {
		URL string `json:"logout_url"`
	}
	err = got.read(&link)
	return link.URL, err
}

// fault returns what Kratos says about an error that it sent the browser to.
func (k kratos) fault(c *gin.Context, id string) (string, error) {
	got, err := k.get(c, k.base+"/self-service/errors?"+url.Values{"id": {id}}.Encode())
	if err != nil {
		return "", err
	}
	var report struct {
		Error struct {
			Reason  string `json:"reason"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := got.read(&report); err != nil {
		return "", err
	}
	if report.Error.Reason != "" {
		return report.Error.Reason, nil
	}
	return report.Error.Message, nil
}
