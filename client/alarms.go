package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Alarm is a person's word that they did not want a change. Its id is that of the claim.
type Alarm struct {
	ID         string `json:"id"`
	IdentityID string `json:"identity_id"`
	// Denied is requested (a number that was waiting), changed, removed or taken.
	Denied             string    `json:"denied"`
	MobileNumber       string    `json:"mobile_number"` // masked
	FormerMobileNumber string    `json:"former_mobile_number"`
	FormerVerified     bool      `json:"former_verified"`
	CancelledClaimID   string    `json:"cancelled_claim_id,omitempty"`
	RaisedAt           time.Time `json:"raised_at"`
	RaisedFrom         string    `json:"raised_from,omitempty"`
	SessionsEndedAt    time.Time `json:"sessions_ended_at,omitzero"`
	BlockedUntil       time.Time `json:"blocked_until,omitzero"`
	LiftedAt           time.Time `json:"lifted_at,omitzero"`
	LiftedBy           string    `json:"lifted_by,omitempty"`
	// Outcome is restored or closed; blank while nobody has decided.
	Outcome  string    `json:"outcome,omitempty"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
	ClosedBy string    `json:"closed_by,omitempty"`
}

// AlarmFound is an alarm with what its person has now.
type AlarmFound struct {
	Alarm
	// Person is nil where they are gone, or Kratos does not answer.
	Person     *Profile `json:"person,omitempty"`
	KratosAway bool     `json:"kratos_away,omitempty"`
}

// AlarmFilter chooses alarms; what is blank chooses all.
type AlarmFilter struct {
	Open               bool // only those that nobody has decided on
	IdentityID, Cursor string
	Limit              int // at most 500; 0 is 50
}

// Alarms lists alarms.
func (c Client) Alarms(ctx context.Context, f AlarmFilter) (Page[Alarm], error) {
	values := url.Values{"identity_id": {f.IdentityID}, "cursor": {f.Cursor}, "limit": {strconv.Itoa(f.Limit)}}
	if f.Open {
		values.Set("open", "true")
	}
	return list[Alarm](ctx, c, "/admin/alarms", values)
}

// Alarm shows one alarm.
func (c Client) Alarm(ctx context.Context, id string) (AlarmFound, error) {
	var found AlarmFound
	err := c.call(ctx, http.MethodGet, alarmPath(id), nil, &found)
	return found, err
}

// RestoreNumber puts the number from before back, verified as it was, and closes the case.
func (c Client) RestoreNumber(ctx context.Context, alarmID string) error {
	return c.call(ctx, http.MethodPost, alarmPath(alarmID)+"/restore", nil, nil)
}

// EndSessions ends all sessions of an alarm's person.
func (c Client) EndSessions(ctx context.Context, alarmID string) error {
	return c.call(ctx, http.MethodPost, alarmPath(alarmID)+"/end-sessions", nil, nil)
}

// LiftBlock lets an alarm's person change their number before its time.
func (c Client) LiftBlock(ctx context.Context, alarmID string) error {
	return c.call(ctx, http.MethodPost, alarmPath(alarmID)+"/lift-block", nil, nil)
}

// CloseAlarm closes a case.
func (c Client) CloseAlarm(ctx context.Context, alarmID string) error {
	return c.call(ctx, http.MethodPost, alarmPath(alarmID)+"/close", nil, nil)
}

func alarmPath(id string) string { return "/admin/alarms/" + url.PathEscape(id) }
