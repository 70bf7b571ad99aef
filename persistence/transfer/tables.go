package transfer

import "slices"

// kind is what a column holds, whatever its type is called.
type kind int

const (
	text kind = iota
	number
	boolean
	moment
	blob
)

type column struct {
	name string
	kind kind
}

// table is one that is copied. A column that the database computes is none of its
// columns.
type table struct {
	name string
	// key has the columns of the primary key, in its order.
	key []column
	// rest has all others.
	rest []column
	// numbered: the database numbers new rows.
	numbered bool
}

func (t table) columns() []column { return slices.Concat(t.key, t.rest) }

func of(k kind, names ...string) []column {
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = column{name, k}
	}
	return columns
}

// tables are all that a migration makes and that hold anything. A test of package
// migration holds the list against the schemas.
var tables = []table{
	{
		name: "claims", key: of(text, "id"),
		rest: slices.Concat(
			of(text, "identity_id", "held_identity", "flow_id", "origin", "number", "was", "state", "reason", "code_key",
				"last_address", "marker", "language", "assurance", "client_text"),
			of(number, "version", "code_number", "attempts", "texts", "due_tries"),
			of(boolean, "was_verified", "direct"),
			of(moment, "code_expires", "next_text", "due_at", "created_at", "lapses_at", "ended_at"),
		),
	},
	{
		name: "texts", key: of(text, "id"),
		rest: slices.Concat(
			of(text, "claim_id", "identity_id", "number", "number_key", "code_key", "language", "address", "state", "gateway",
				"provider_id", "reason", "kind", "channel", "calling_code"),
			of(number, "code_number", "validity_us", "tries", "number_seq", "address_seq"),
			of(moment, "code_expires", "due_at", "created_at", "done_at"),
		),
	},
	{
		name: "audit_events", key: of(number, "id"), numbered: true,
		rest: slices.Concat(
			of(text, "claim_id", "identity_id", "kind", "actor_kind", "actor_id", "actor_address", "number", "reason"),
			of(moment, "happened_at"),
		),
	},
	{
		name: "alarms", key: of(text, "id"),
		rest: slices.Concat(
			of(text, "identity_id", "denied", "number", "was", "cancelled_id", "address", "lifted_by", "closed_by", "outcome"),
			of(number, "due_tries", "version"), of(boolean, "was_verified"),
			of(moment, "created_at", "sessions_ended_at", "due_at", "blocked_until", "lifted_at", "closed_at"),
		),
	},
	{name: "identity_leases", key: of(text, "identity_id"), rest: slices.Concat(of(text, "owner", "claim_id"), of(moment, "ends_at"))},
	{name: "limits", key: of(text, "name"), rest: of(number, "tat")},
	{
		name: "receipts", key: of(number, "id"), numbered: true,
		rest: slices.Concat(of(text, "gateway", "message", "state", "detail"), of(moment, "received_at")),
	},
	{
		name: "tokens", key: of(text, "name"),
		rest: slices.Concat(
			of(text, "sha256", "scopes", "created_by"), of(boolean, "privileged"),
			of(moment, "created_at", "last_used_at", "revoked_at", "expires_at"),
		),
	},
	{
		name: "admin_sessions", key: of(text, "digest"),
		rest: slices.Concat(of(text, "token", "identity_id", "name"), of(moment, "created_at", "seen_at")),
	},
	{name: "settings", key: of(text, "name"), rest: slices.Concat(of(text, "value", "set_by"), of(moment, "set_at"))},
	{name: "trials", key: of(text, "identity_id"), rest: slices.Concat(of(number, "staged", "activated"), of(boolean, "held"), of(moment, "expires_at"))},
	{
		name: "scim_users", key: of(number, "place"),
		rest: slices.Concat(
			of(text, "id", "version", "document", "external_ids", "found_by"), of(number, "writes"),
			of(moment, "updated_at", "seen_at"),
		),
	},
	{name: "scim_values", key: slices.Concat(of(blob, "path", "value_key"), of(number, "place"))},
	{name: "scim_counts", key: of(number, "bucket"), rest: of(number, "users")},
	{name: "scim_passes", key: of(text, "name"), rest: of(moment, "began_at")},
	{name: "scim_groups", key: of(number, "place"), rest: slices.Concat(
		of(text, "id", "name"), of(blob, "name_key"), of(number, "version", "writes"), of(moment, "created_at", "updated_at"),
	)},
	{name: "scim_members", key: slices.Concat(of(number, "group_place"), of(text, "user_id"))},
	{
		name: "scim_group_external_ids", key: slices.Concat(of(text, "client"), of(number, "group_place")),
		rest: slices.Concat(of(text, "external_id"), of(blob, "external_key")),
	},
	{name: "scim_group_tasks", key: of(number, "group_place"), rest: slices.Concat(of(number, "deleted", "changes"), of(text, "name", "after_user"))},
	{name: "scim_identity_tasks", key: of(text, "user_id"), rest: slices.Concat(of(moment, "due_at"), of(number, "tries", "changes"))},
	{name: "people", key: of(number, "place"), rest: slices.Concat(of(text, "identity_id", "terms", "number_key"), of(moment, "seen_at"))},
	{name: "people_terms", key: slices.Concat(of(blob, "term"), of(number, "place"))},
	{name: "progress", key: of(text, "name"), rest: slices.Concat(of(text, "row_id"), of(moment, "moment"))},
	{
		name: "statistics", key: slices.Concat(of(number, "hour"), of(text, "subject")),
		rest: of(number, "requested", "confirmed", "failed", "withdrawn", "wrong", "sent", "unsent", "delay_us"),
	},
}

// String names a kind.
func (k kind) String() string { return [...]string{"text", "number", "boolean", "moment", "blob"}[k] }

// Columns lists what is copied: the kind of each column, by its name, by the name of its
// table.
func Columns() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, t := range tables {
		all[t.name] = map[string]string{}
		for _, c := range t.columns() {
			all[t.name][c.name] = c.kind.String()
		}
	}
	return all
}
