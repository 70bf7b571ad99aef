package scimtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Entry is what a company's directory says of a person.
type Entry struct {
	UserName, ExternalID  string
	GivenName, FamilyName string
	Email                 string
	Mobile                string // blank for none
	Active                bool
	spelling              int    // how the directory writes the number
	id                    string // at the service provider, once it is known
	lastActive            bool
}

// DisplayName is made of the names.
func (e *Entry) DisplayName() string { return e.GivenName + " " + e.FamilyName }

// Product is a provisioning product, by the requests that it sends.
type Product string

// The products.
const (
	// Okta sends the whole user by PUT, and PATCHes active alone when somebody
	// leaves (https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20).
	Okta Product = "okta"
	// Entra compares and PATCHes what differs, with capitalised operations and
	// booleans as text (https://learn.microsoft.com/entra/identity/app-provisioning).
	Entra Product = "entra"
)

// Client is a product that is connected to Holdline.
type Client struct {
	Product Product
	Token   string
	BaseURL string // of SCIM, such as http://127.0.0.1:4477/scim2
	HTTP    *http.Client
	// Requests counts what was sent.
	Requests int
}

type object = map[string]any

// Provision does for one person what the product does in one cycle. Every answer
// that is not a success is an error.
func (c *Client) Provision(e *Entry) error {
	if e.id == "" {
		return c.add(e)
	}
	if c.Product == Entra {
		return c.patch(e)
	}
	return c.put(e)
}

// add looks the user up, as the products do before they create one: Okta by the
// user name, Entra by the id that it gave, and by the user name for who was there
// before.
func (c *Client) add(e *Entry) error {
	filters := []string{fmt.Sprintf("userName eq %q", e.UserName)}
	if c.Product == Entra {
		filters = []string{fmt.Sprintf("externalId eq %q", e.ExternalID), filters[0]}
	}
	for _, filter := range filters {
		var found struct {
			Resources []struct {
				ID string `json:"id"`
			}
		}
		if err := c.call(http.MethodGet, "/Users?filter="+url.QueryEscape(filter), nil, &found); err != nil {
			return err
		}
		if len(found.Resources) > 0 {
			e.id, e.lastActive = found.Resources[0].ID, true
			return c.Provision(e)
		}
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := c.call(http.MethodPost, "/Users", c.user(e), &made); err != nil {
		return err
	}
	e.id, e.lastActive = made.ID, e.Active
	return nil
}

// user is the whole user. A product sends a number as its directory has it.
func (c *Client) user(e *Entry) object {
	user := object{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": e.UserName, "externalId": e.ExternalID,
		"name": object{"givenName": e.GivenName, "familyName": e.FamilyName}, "displayName": e.DisplayName(),
		"emails": []object{{"primary": true, "type": "work", "value": e.Email}},
		"active": e.Active,
	}
	if e.Mobile != "" {
		user["phoneNumbers"] = []object{{"primary": true, "type": "mobile", "value": e.written()}}
	}
	if e.id != "" {
		user["id"] = e.id
	}
	return user
}

// written is the number as the directory spells it.
func (e *Entry) written() string {
	if n := e.Mobile; e.spelling == 1 && len(n) > 7 {
		return n[:3] + " " + n[3:6] + " " + n[6:]
	}
	return e.Mobile
}

func (c *Client) put(e *Entry) error {
	if e.lastActive && !e.Active {
		e.lastActive = false
		return c.operations(e, object{"op": "replace", "value": object{"active": false}})
	}
	e.lastActive = e.Active
	return c.call(http.MethodPut, "/Users/"+e.id, c.user(e), nil)
}

func (c *Client) operations(e *Entry, operations ...object) error {
	return c.call(http.MethodPatch, "/Users/"+e.id, object{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": operations,
	}, nil)
}

// patch compares what the service provider shows with the directory.
func (c *Client) patch(e *Entry) error {
	var shown struct {
		UserName     string
		DisplayName  string
		Active       bool
		Name         struct{ GivenName, FamilyName string }
		Emails       []struct{ Type, Value string }
		PhoneNumbers []struct{ Type, Value string }
	}
	if err := c.call(http.MethodGet, "/Users/"+e.id, nil, &shown); err != nil {
		return err
	}
	var operations []object
	replace := func(path string, value any) {
		operations = append(operations, object{"op": "Replace", "path": path, "value": value})
	}
	if shown.Active != e.Active {
		replace("active", map[bool]string{true: "True", false: "False"}[e.Active])
	}
	if shown.Name.GivenName != e.GivenName {
		replace("name.givenName", e.GivenName)
	}
	if shown.DisplayName != e.DisplayName() {
		replace("displayName", e.DisplayName())
	}
	if shown.Name.FamilyName != e.FamilyName {
		replace("name.familyName", e.FamilyName)
	}
	mobile := ""
	for _, phone := range shown.PhoneNumbers {
		if phone.Type == "mobile" {
			mobile = phone.Value
		}
	}
	switch {
	case e.Mobile == "" && mobile != "":
		operations = append(operations, object{"op": "Remove", "path": `phoneNumbers[type eq "mobile"].value`})
	case e.Mobile != "" && mobile != e.written():
		op := "Replace"
		if mobile == "" {
			op = "Add"
		}
		operations = append(operations, object{"op": op, "path": `phoneNumbers[type eq "mobile"].value`, "value": e.written()})
	}
	if len(operations) == 0 {
		return nil
	}
	return c.operations(e, operations...)
}

// call makes one request; answer may be nil. The error names what was asked and
// what came back, so it is for tests only.
func (c *Client) call(method, path string, body object, answer any) error {
	c.Requests++
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, c.BaseURL+path, content) //nolint:noctx // tests end it
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	r.Header.Set("Content-Type", "application/scim+json")
	response, err := c.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s %v: %d %s", method, path, body, response.StatusCode, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
