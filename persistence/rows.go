package persistence

import (
	"cmp"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/persistence/database"
)

// claimRow is a line of the table claims.
type claimRow struct {
	ID           string `gorm:"primaryKey"`
	IdentityID   string
	HeldIdentity *string // IdentityID while the claim is held: the index over it is unique
	FlowID       string
	Origin       string
	Number       string
	Was          string
	WasVerified  bool
	Direct       bool
	Assurance    string
	State        string
	Version      int
	Reason       string
	CodeKey      string
	CodeNumber   int
	CodeExpires  database.Time
	Attempts     int
	Texts        int
	NextText     database.Time
	ClientText   string
	LastAddress  string
	Language     string
	Marker       string
	DueAt        database.Time
	DueTries     int
	CreatedAt    database.Time `gorm:"autoCreateTime:false"`
	LapsesAt     database.Time
	EndedAt      database.Time
}

// TableName implements gorm's Tabler.
func (claimRow) TableName() string { return "claims" }

func newClaimRow(c claim.Claim) claimRow {
	row := claimRow{
		ID: c.ID, IdentityID: c.IdentityID, FlowID: c.FlowID, Origin: string(c.Source),
		Number: c.Number.Unmasked(), Was: c.Previous.Unmasked(), WasVerified: c.PreviousVerified, Direct: c.Direct, Assurance: string(c.Assurance),
		State: string(c.State), Version: c.Version, Reason: database.Clip(c.Reason, textWidth),
		CodeKey: c.CodeKey, CodeNumber: c.CodeNumber, CodeExpires: database.Time(c.CodeExpires), Attempts: c.Attempts,
		Texts: c.Texts, NextText: database.Time(c.NextText), ClientText: string(c.ClientText), LastAddress: database.Clip(c.LastAddress, addressWidth),
		Language: database.Clip(c.Language, nameWidth), Marker: string(c.PendingSync), DueAt: database.Time(c.DueAt), DueTries: c.DueTries,
		CreatedAt: database.Time(c.CreatedAt), LapsesAt: database.Time(c.LapsesAt), EndedAt: database.Time(c.EndedAt),
	}
	if c.State.Active() {
		row.HeldIdentity = &row.IdentityID
	}
	return row
}

func (r claimRow) claim() claim.Claim {
	return claim.Claim{
		ID: r.ID, IdentityID: r.IdentityID, FlowID: r.FlowID, Source: claim.Source(r.Origin),
		Number: phone.FromStore(r.Number), Previous: phone.FromStore(r.Was), PreviousVerified: r.WasVerified, Direct: r.Direct, Assurance: claim.Assurance(r.Assurance),
		State: claim.State(r.State), Version: r.Version, Reason: r.Reason,
		CodeKey: r.CodeKey, CodeNumber: r.CodeNumber, CodeExpires: time.Time(r.CodeExpires), Attempts: r.Attempts,
		Texts: r.Texts, NextText: time.Time(r.NextText), ClientText: claim.ClientText(r.ClientText),
		LastAddress: r.LastAddress, Language: r.Language,
		PendingSync: claim.PendingSync(r.Marker), DueAt: time.Time(r.DueAt), DueTries: r.DueTries,
		CreatedAt: time.Time(r.CreatedAt), LapsesAt: time.Time(r.LapsesAt), EndedAt: time.Time(r.EndedAt),
	}
}

// moved returns what a transition writes. What a claim was made with stays, and
// so do its attempts, which only Try counts.
func moved(m claim.Transition) []assignment {
	row := newClaimRow(m.Claim)
	set := []assignment{
		{"held_identity", row.HeldIdentity},
		{"state", row.State},
		{"version", row.Version + 1},
		{"reason", row.Reason},
		{"code_key", row.CodeKey},
		{"code_number", row.CodeNumber},
		{"code_expires", row.CodeExpires},
		{"texts", row.Texts},
		{"next_text", row.NextText},
		{"client_text", row.ClientText},
		{"last_address", row.LastAddress},
		{"language", row.Language},
		{"marker", row.Marker},
		{"due_at", row.DueAt},
		{"due_tries", row.DueTries},
		{"lapses_at", row.LapsesAt},
		{"ended_at", row.EndedAt},
	}
	if m.Claim.State == claim.Applied || m.Claim.State == claim.Open && !m.Claim.Previous.IsZero() {
		was := row.Was
		if m.EraseIdentity {
			was = ""
		}
		set = append(set, assignment{"was", was}, assignment{"was_verified", row.WasVerified})
	} else if m.EraseIdentity {
		set = append(set, assignment{"was", ""})
	}
	if m.EraseIdentity {
		set = append(set, assignment{"number", ""})
	}
	return set
}

// textRow is a line of the table texts.
type textRow struct {
	ID          string `gorm:"primaryKey"`
	Kind        string
	Channel     string
	ClaimID     string
	IdentityID  string
	Number      string
	NumberKey   string // the dialling characters alone
	CallingCode string
	CodeKey     string
	CodeNumber  int
	CodeExpires database.Time
	ValidityUS  int64 `gorm:"column:validity_us"`
	Language    string
	Address     string
	State       string
	DueAt       database.Time // the end of a lease or of a put-off
	Tries       int
	Gateway     string
	ProviderID  string
	Reason      string
	CreatedAt   database.Time `gorm:"autoCreateTime:false"`
	DoneAt      database.Time
	// NumberSeq and AddressSeq count the limited texts of a number and of an
	// address; NULL outside of limits.
	NumberSeq  *int
	AddressSeq *int
}

// TableName implements gorm's Tabler.
func (textRow) TableName() string { return "texts" }

func newTextRow(t message.Text) textRow {
	row := textRow{
		ID: t.ID, Kind: string(cmp.Or(t.Kind, message.TextCode)), Channel: string(cmp.Or(t.Channel, message.ChannelSMS)),
		ClaimID: t.Code.ClaimID, IdentityID: t.IdentityID,
		Number: t.To.Unmasked(), NumberKey: t.To.Key(), CallingCode: t.To.CallingCode(),
		CodeKey: t.Code.Key, CodeNumber: t.Code.Number, CodeExpires: database.Time(t.Expires),
		ValidityUS: t.Validity.Microseconds(), Language: database.Clip(t.Language, nameWidth),
		Address: database.Clip(t.ClientIP, addressWidth), State: string(message.TextQueued),
		DueAt: database.Time(t.LeaseUntil), CreatedAt: database.Time(t.CreatedAt),
	}
	if t.LeaseUntil.IsZero() {
		row.DueAt = row.CreatedAt
	}
	return row
}

func newTextRows(texts []message.Text) []textRow {
	rows := make([]textRow, len(texts))
	for i, t := range texts {
		rows[i] = newTextRow(t)
	}
	return rows
}

func (r textRow) text() message.Text {
	return message.Text{
		ID: r.ID, Kind: message.TextKind(r.Kind), Channel: message.Channel(r.Channel),
		IdentityID: r.IdentityID, To: phone.FromStore(r.Number),
		Code:    otp.CodeRef{ClaimID: r.ClaimID, Key: r.CodeKey, Number: r.CodeNumber},
		Expires: time.Time(r.CodeExpires), Validity: time.Duration(r.ValidityUS) * time.Microsecond,
		Language: r.Language, ClientIP: r.Address,
		CreatedAt: time.Time(r.CreatedAt), LeaseUntil: time.Time(r.DueAt),
	}
}

// eventRow is a line of the table audit_events. The database numbers the lines.
type eventRow struct {
	ClaimID      string
	IdentityID   string
	Kind         string
	ActorKind    string
	ActorID      string
	ActorAddress string
	Number       string // masked
	Reason       string
	HappenedAt   database.Time
}

// TableName implements gorm's Tabler.
func (eventRow) TableName() string { return "audit_events" }

// reasonWidth is the width of a line's reason, which has a setting's lists before and after.
const reasonWidth = 2100

func newEventRows(events []audit.Event) []eventRow {
	rows := make([]eventRow, len(events))
	for i, e := range events {
		rows[i] = eventRow{
			ClaimID: e.ClaimID, IdentityID: e.IdentityID, Kind: e.Kind,
			ActorKind: string(e.Actor.Kind), ActorID: database.Clip(e.Actor.ID, textWidth),
			ActorAddress: database.Clip(e.Actor.ClientIP, addressWidth),
			Number:       e.Number, Reason: database.Clip(e.Reason, reasonWidth), HappenedAt: database.Time(e.At),
		}
	}
	return rows
}

// Record writes lines of the audit trail within a transaction.
func Record(tx *gorm.DB, events []audit.Event) error {
	for batch := range slices.Chunk(events, recordBatch) {
		if err := tx.Create(newEventRows(batch)).Error; err != nil {
			return err
		}
	}
	return nil
}

// recordBatch is how many lines one statement writes.
const recordBatch = 500

func (r eventRow) event() audit.Event {
	return audit.Event{
		ClaimID: r.ClaimID, IdentityID: r.IdentityID, Kind: r.Kind, Number: r.Number, Reason: r.Reason,
		Actor: audit.Actor{Kind: audit.ActorKind(r.ActorKind), ID: r.ActorID, ClientIP: r.ActorAddress},
		At:    time.Time(r.HappenedAt),
	}
}

// leaseRow is a line of the table identity_leases.
type leaseRow struct {
	IdentityID string `gorm:"primaryKey"`
	Owner      string
	ClaimID    string
	EndsAt     database.Time
}

// TableName implements gorm's Tabler.
func (leaseRow) TableName() string { return "identity_leases" }

// The widths of the columns that hold texts from outside.
const (
	addressWidth = 64
	nameWidth    = 64
	textWidth    = 255
)
