package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// kratosTries is how often Kratos is asked when it fails: it does not try a transaction
// again that its database ended for a deadlock, and leaves that to its user.
const kratosTries = 5

// kratosFailed reports whether Kratos said that the fault is its own. Where hooks may refuse
// a form, it does so with status 400, too.
func kratosFailed(err error) bool {
	var other statusError
	if !errors.As(err, &other) {
		return false
	}
	var said struct{ Error struct{ Code int } }
	return json.Unmarshal(other.said, &said) == nil && said.Error.Code == http.StatusInternalServerError
}

// call sends a body as JSON, with a session's token unless it is blank, and reads the
// answer.
func (k *kratos) call(ctx context.Context, method, url, token string, body, into any, want int) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	if token != "" {
		header.Set("X-Session-Token", token)
	}
	for try := 1; ; try++ {
		said, err := exchange(ctx, k.client, method, url, bytes.NewReader(content), want, header)
		if kratosFailed(err) && try < kratosTries {
			k.failures.Add(1)
			continue
		}
		if err != nil || into == nil {
			return err
		}
		return json.Unmarshal(said, into)
	}
}

// kratosIdentity is what of an identity is looked at.
type kratosIdentity struct {
	ID     string
	Traits struct {
		Mobile string
	}
	MetadataPublic map[string]any `json:"metadata_public"`
	Addresses      []struct {
		Value    string
		Verified bool
	} `json:"verifiable_addresses"`
}

// has reports whether the number is the stored one, verified, and none is pending.
func (i kratosIdentity) has(mobile string) bool {
	_, pending := i.MetadataPublic["pendingMobileNumber"]
	return !pending && i.Traits.Mobile == mobile && len(i.Addresses) == 1 && i.Addresses[0].Value == mobile && i.Addresses[0].Verified
}

// flow is a self-service flow of Kratos'.
type flow struct {
	UI struct{ Action string }

	State        string
	Identity     kratosIdentity
	SessionToken string `json:"session_token"`
}

// arrive makes an account and signs it in.
func (k *kratos) arrive(ctx context.Context, p *person) error {
	var made kratosIdentity
	err := k.call(ctx, http.MethodPost, k.adminURL+"/admin/identities", "", tree{
		"schema_id": "default", "traits": p.traits(p.name, p.was),
		"credentials":          tree{"password": tree{"config": tree{"password": kratosPassword}}},
		"verifiable_addresses": []tree{{"value": p.was, "via": "sms", "verified": true, "status": "completed"}},
	}, &made, http.StatusCreated)
	if err != nil {
		return err
	}
	p.id = made.ID
	var login, signedIn flow
	if err := k.call(ctx, http.MethodGet, k.publicURL+"/self-service/login/api", "", nil, &login, http.StatusOK); err != nil {
		return err
	}
	err = k.call(ctx, http.MethodPost, login.UI.Action, "",
		tree{"method": "password", "identifier": p.name, "password": kratosPassword}, &signedIn, http.StatusOK)
	p.token = signedIn.SessionToken
	return err
}

// traits are what a person's settings form has.
func (p person) traits(displayName, mobile string) tree {
	return tree{"username": p.name, "display_name": displayName, "mobile": mobile}
}

// open begins a settings flow and returns where its form goes.
func (k *kratos) open(ctx context.Context, p person) (action string, err error) {
	var f flow
	err = k.call(ctx, http.MethodGet, k.publicURL+"/self-service/settings/api", p.token, nil, &f, http.StatusOK)
	return f.UI.Action, err
}

// submit sends the settings form and returns the identity that the answer shows.
func (k *kratos) submit(ctx context.Context, p person, action string, traits tree) (kratosIdentity, error) {
	var saved flow
	err := k.call(ctx, http.MethodPost, action, p.token, tree{"method": "profile", "traits": traits}, &saved, http.StatusOK)
	if err == nil && saved.State != "success" {
		err = fmt.Errorf("settings flow: state %q", saved.State)
	}
	return saved.Identity, err
}

func (k *kratos) request(ctx context.Context, p person) error {
	action, err := k.open(ctx, p)
	if err != nil {
		return err
	}
	_, err = k.submit(ctx, p, action, p.traits(p.name, p.mobile))
	return err
}

func (k *kratos) done(ctx context.Context, p person) (bool, error) {
	var stored kratosIdentity
	err := k.call(ctx, http.MethodGet, k.adminURL+"/admin/identities/"+p.id, "", nil, &stored, http.StatusOK)
	return stored.has(p.mobile), err
}

func (*kratos) leave(person) {}
func (*kratos) stays() bool  { return true }
func (*kratos) calls() int64 { return 0 }
