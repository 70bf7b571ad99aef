package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Profile is what Kratos has of a person.
type Profile struct {
	IdentityID   string   `json:"identity_id"`
	Name         string   `json:"name,omitempty"`
	Emails       []string `json:"emails,omitempty"`
	UserNames    []string `json:"user_names,omitempty"`
	MobileNumber string   `json:"mobile_number"` // masked
	Verified     bool     `json:"mobile_number_verified"`
	Privileged   bool     `json:"privileged,omitempty"`
}

// PersonFound is one person with all that happened.
type PersonFound struct {
	Profile
	Gone       bool    `json:"gone,omitempty"`        // Kratos has no such identity any more
	KratosAway bool    `json:"kratos_away,omitempty"` // nothing is known of the profile
	Claims     []Claim `json:"claims"`                // newest first
	Events     []Event `json:"events"`                // oldest first
	Messages   []Text  `json:"messages"`              // oldest first
	Older      bool    `json:"older"`                 // more is kept than this
}

// Person shows one person, found by [Client.SearchPeople].
func (c Client) Person(ctx context.Context, identityID string) (PersonFound, error) {
	var found PersonFound
	err := c.call(ctx, http.MethodGet, query("/admin/person", url.Values{"identity_id": {identityID}}), nil, &found)
	return found, err
}

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

// Suggestions are which countries might be texted, judged by the last thirty days. To take one,
// hand its lists to [Client.ChangeSettings]: what nothing is suggested for stays as it is.
type Suggestions struct {
	// Missing is why AllowedCallingCodes is what is set: few_days, few_changes or nothing_to_restrict.
	Missing             string   `json:"missing,omitempty"`
	Days                int      `json:"days"`
	Confirmed           int      `json:"confirmed"` // changes to numbers that are texted now
	Percent             int      `json:"percent"`   // how much of them Usual has
	AllowedCallingCodes []string `json:"allowed_calling_codes"`
	DeniedCallingCodes  []string `json:"denied_calling_codes"`
	// TextsPerCallingCodePerHour is three times the busiest hour; 0 where too little was seen.
	TextsPerCallingCodePerHour int     `json:"texts_per_calling_code_per_hour,omitempty"`
	Usual                      []Seen  `json:"usual"`
	Others                     []Seen  `json:"others"`
	Unsound                    []Seen  `json:"unsound"` // asked for, and nearly never confirmed
	Outside                    Outside `json:"outside"`
}

// Seen is what became of changes to numbers with a calling code.
type Seen struct {
	CallingCode string `json:"calling_code"`
	Requested   int    `json:"requested"`
	Confirmed   int    `json:"confirmed"`
}

// Outside is how much is about numbers that would no longer be texted.
type Outside struct {
	Pending   int       `json:"pending"`
	Confirmed int       `json:"confirmed"` // since then
	Since     time.Time `json:"since"`
}

// Suggestions returns which countries might be texted.
func (c Client) Suggestions(ctx context.Context) (Suggestions, error) {
	var found Suggestions
	err := c.call(ctx, http.MethodGet, "/admin/suggestions", nil, &found)
	return found, err
}

// Counts are how many changes were asked for, and what became of them.
type Counts struct {
	Requested  int `json:"requested"`
	Confirmed  int `json:"confirmed"`
	Failed     int `json:"failed"`
	Withdrawn  int `json:"withdrawn"`
	WrongCodes int `json:"wrong_codes"`
}

// Bucket is an hour or a day.
type Bucket struct {
	Start time.Time `json:"start"`
	Counts
}

// Country is a calling code, blank for numbers that have none.
type Country struct {
	CallingCode string `json:"calling_code"`
	Counts
}

// Statistics are what became of changes over time.
type Statistics struct {
	Span        string    `json:"span"`
	StepSeconds int       `json:"step_seconds"`
	Total       Counts    `json:"total"`
	Series      []Bucket  `json:"series"`    // oldest first
	Countries   []Country `json:"countries"` // the busiest first
}

// Statistics counts changes over a span (24h, 7d, 30d or 90d), to one calling code or, for a blank
// one, to all.
func (c Client) Statistics(ctx context.Context, span, callingCode string) (Statistics, error) {
	var found Statistics
	err := c.call(ctx, http.MethodGet, query("/admin/statistics", url.Values{"span": {span}, "calling_code": {callingCode}}), nil, &found)
	return found, err
}

// Gateway is the health of an SMS gateway: its texts of the last 24 hours over all replicas, and
// what the replica that answers knows since it started.
type Gateway struct {
	ID string `json:"id"`
	// State is as of a circuit breaker: closed (works), open (left alone), half-open (being tried); or
	// resting.
	State          string    `json:"state"`
	RestingUntil   time.Time `json:"resting_until,omitzero"`
	InFlight       int       `json:"in_flight"`
	Sent           int       `json:"sent"`
	Unsent         int       `json:"unsent"`
	AverageDelayMS int       `json:"average_delay_ms"`
	LastFault      string    `json:"last_fault,omitempty"`
	LastAnswerAt   time.Time `json:"last_answer_at,omitzero"`
}

// Gateways are all gateways, in order of preference, and what waits for them.
type Gateways struct {
	Items         []Gateway `json:"items"`
	Queued        int       `json:"queued"`
	OldestSeconds int       `json:"oldest_seconds"`
}

// Gateways returns the health of all gateways.
func (c Client) Gateways(ctx context.Context) (Gateways, error) {
	var found Gateways
	err := c.call(ctx, http.MethodGet, "/admin/gateways", nil, &found)
	return found, err
}

// TestText is what a gateway answered to a test text.
type TestText struct {
	Taken     bool   `json:"taken"`
	MessageID string `json:"message_id,omitempty"` // the provider's
	Reason    string `json:"reason,omitempty"`     // why it was not taken
}

// SendTestText sends a text with a code that nobody takes. It costs what a text costs.
func (c Client) SendTestText(ctx context.Context, gateway, mobileNumber string) (TestText, error) {
	var answer TestText
	err := c.call(ctx, http.MethodPost, "/admin/gateways/"+url.PathEscape(gateway)+"/test", map[string]string{"mobile_number": mobileNumber}, &answer)
	return answer, err
}

// Token is the right of a client or administrator to call; its text is kept nowhere.
type Token struct {
	Name       string    `json:"name"`
	Scopes     []string  `json:"scopes"`
	Privileged bool      `json:"privileged"`
	Configured bool      `json:"configured,omitempty"` // cannot be revoked here
	InForce    bool      `json:"in_force"`
	CreatedAt  time.Time `json:"created_at,omitzero"`
	CreatedBy  string    `json:"created_by,omitempty"` // blank for a command
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
}

// TokenWish is what a token is to be made of; zero ExpiresAt is never.
type TokenWish struct {
	Name       string    `json:"name"`
	Scopes     []string  `json:"scopes"`
	Privileged bool      `json:"privileged,omitempty"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
}

// TokenMade is a token with its text, which no other answer has.
type TokenMade struct {
	Token
	Text string `json:"token"`
}

// Tokens lists tokens, those of the configuration first.
func (c Client) Tokens(ctx context.Context) ([]Token, error) {
	page, err := list[Token](ctx, c, "/admin/tokens", nil)
	return page.Items, err
}

// MakeToken makes a token that allows no more than the caller's own.
func (c Client) MakeToken(ctx context.Context, wish TokenWish) (TokenMade, error) {
	var made TokenMade
	err := c.call(ctx, http.MethodPost, "/admin/tokens", wish, &made)
	return made, err
}

// RevokeToken revokes a token and, if that is wanted, those that it made.
func (c Client) RevokeToken(ctx context.Context, name string, withMade bool) error {
	values := url.Values{}
	if withMade {
		values.Set("with_made", "true")
	}
	return c.call(ctx, http.MethodDelete, query("/admin/tokens/"+url.PathEscape(name), values), nil, nil)
}
