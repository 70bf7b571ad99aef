package transfer_test

import (
	"math"
	"strings"
	"time"

	"github.com/holdline/holdline/persistence/database"
)

// at is a moment with microseconds that no rounding keeps.
func at(microseconds int64) database.Time {
	return database.Time(time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC).Add(time.Duration(microseconds) * time.Microsecond))
}

// awkward is a text in which every database has something to trip over.
const awkward = `größer 'quoted' "double" \n \\ % _ ? $1 :name ` + "\t\r\n\x01\u00a0\u200b Ἀθῆναι தமிழ் 👩\u200d👩\u200d👧 e\u0301 é  "

func claimRow(id, state string, more map[string]any) map[string]any {
	row := map[string]any{
		"id": id, "identity_id": "i " + id, "held_identity": nil, "flow_id": "", "origin": "settings", "number": "+49 (151) 123-45 67",
		"was": awkward, "state": state, "version": 3, "reason": "", "code_key": "n6.a6101e2fec648bcb", "code_number": 2, "code_expires": at(1),
		"attempts": 1, "texts": 2, "next_text": at(999_999), "last_address": "2001:db8::1", "marker": "", "due_at": at(123_456), "due_tries": 0,
		"created_at": at(-1), "lapses_at": at(1 << 40), "ended_at": nil, "was_verified": true, "direct": false, "language": "ta",
		"assurance": "aal2", "client_text": "",
	}
	for name, value := range more {
		row[name] = value
	}
	return row
}

func textRow(id string, more map[string]any) map[string]any {
	row := map[string]any{
		"id": id, "claim_id": "c", "identity_id": "i", "number": "+4915112345671", "number_key": "+4915112345671", "code_key": "n6.ffff",
		"code_number": 1, "code_expires": nil, "validity_us": int64(300_000_000), "language": "de", "address": "", "state": "sent", "due_at": at(0),
		"tries": 1, "gateway": "main", "provider_id": awkward, "reason": "", "created_at": at(0), "done_at": at(1), "kind": "code", "channel": "sms",
		"calling_code": "49", "number_seq": nil, "address_seq": nil,
	}
	for name, value := range more {
		row[name] = value
	}
	return row
}

func eventRow(id int64, reason string) map[string]any {
	return map[string]any{
		"id": id, "claim_id": "c", "identity_id": "i", "kind": "open", "actor_kind": "owner", "actor_id": "i", "actor_address": "", "number": "+49*********71",
		"reason": reason, "happened_at": at(id),
	}
}

// rowsOf has rows for every table: more than a batch, and what types can hold.
var rowsOf = map[string][]map[string]any{
	"claims": {
		claimRow("b", "open", map[string]any{"held_identity": "i b"}),
		claimRow("B", "verified", map[string]any{"held_identity": "i B", "code_expires": nil, "next_text": nil}),
		claimRow("a", "applied", map[string]any{"due_at": nil, "ended_at": at(5), "was_verified": false, "direct": true}),
		claimRow("ä", "staged", map[string]any{"lapses_at": nil, "assurance": ""}),
		claimRow("0b6f3a52-7d0c-4a3e-9d1a-5f1c0e5a9c01", "orphaned", map[string]any{"number": "", "was": ""}),
	},
	"texts": {
		textRow("t1", map[string]any{"number_seq": 1, "address_seq": 1, "address": "192.0.2.7"}),
		textRow("t2", map[string]any{"number_seq": 2, "code_expires": at(7)}),
		textRow("T1", map[string]any{"done_at": nil, "state": "queued", "validity_us": int64(math.MaxInt64)}),
	},
	"audit_events": {eventRow(1, ""), eventRow(7, awkward), eventRow(1<<40, "after a gap")},
	"alarms": {
		{"id": "a", "identity_id": "i a", "denied": "change", "number": "+4915112345671", "was": awkward, "was_verified": true, "cancelled_id": "", "address": "192.0.2.7", "created_at": at(0), "sessions_ended_at": at(1), "due_at": nil, "due_tries": 3, "blocked_until": at(2), "lifted_at": at(3), "lifted_by": "größe", "closed_at": at(4), "closed_by": "ops", "outcome": "restored", "version": 4},
		{"id": "b", "identity_id": "i b", "denied": "removal", "number": "", "was": "", "was_verified": false, "cancelled_id": "b", "address": "", "created_at": at(0), "sessions_ended_at": nil, "due_at": at(5), "due_tries": 0, "blocked_until": nil, "lifted_at": nil, "lifted_by": "", "closed_at": nil, "closed_by": "", "outcome": "", "version": 1},
	},
	"identity_leases": {
		{"identity_id": "i B", "owner": "replica", "claim_id": "B", "ends_at": at(1)},
		{"identity_id": "STAFF/9f42", "owner": "replica", "claim_id": "", "ends_at": at(2)},
		{"identity_id": "i", "owner": "", "claim_id": "", "ends_at": at(3)},
	},
	"limits": {{"name": "login 4f1c", "tat": int64(math.MaxInt64)}, {"name": "token 9ab0", "tat": int64(-1)}, {"name": "x", "tat": 0}},
	"receipts": {
		{"id": 1, "gateway": "main", "message": "SM1", "state": "delivered", "detail": "", "received_at": at(0)},
		{"id": 2, "gateway": "main", "message": "SM1", "state": "failed", "detail": "30003", "received_at": at(1)},
		{"id": 9, "gateway": "main", "message": awkward, "state": "failed", "detail": "", "received_at": at(1)},
	},
	"tokens": {
		{"name": "okta", "sha256": strings.Repeat("0a", 32), "scopes": "scim:read scim:write", "privileged": true, "created_at": at(0), "last_used_at": at(1), "revoked_at": nil, "expires_at": at(2)},
		{"name": "entra", "sha256": strings.Repeat("0b", 32), "scopes": "", "privileged": false, "created_at": at(0), "last_used_at": nil, "revoked_at": at(3), "expires_at": nil},
		{"name": "größe", "sha256": strings.Repeat("0c", 32), "scopes": "", "privileged": false, "created_at": at(0), "last_used_at": nil, "revoked_at": nil, "expires_at": nil},
	},
	"admin_sessions": {
		{"digest": strings.Repeat("1a", 32), "token": strings.Repeat("0a", 32), "identity_id": "", "name": "okta", "created_at": at(0), "seen_at": at(1)},
		{"digest": strings.Repeat("1b", 32), "token": "", "identity_id": "i", "name": "größe  ", "created_at": at(0), "seen_at": at(1)},
	},
	"trials": {
		{"identity_id": "STAFF/i", "expires_at": at(1), "staged": 2, "activated": 0, "held": true},
		{"identity_id": "i", "expires_at": at(0), "staged": 0, "activated": 1, "held": false},
	},
	"settings": {
		{"name": "a", "value": "false", "set_by": awkward, "set_at": at(0)},
		{"name": "b", "value": "", "set_by": "", "set_at": at(1)},
	},
	"scim_users": {
		{"place": int64(math.MinInt64), "id": "a1", "version": `W/"1"`, "document": `{"userName":"größe@example.com"}`, "external_ids": `{"okta":"00u1"}`, "found_by": "[]", "updated_at": at(3), "seen_at": at(4), "writes": int64(math.MaxInt64)},
		{"place": int64(math.MaxInt64), "id": "a2", "version": `W/"2"`, "document": `{"text":"` + strings.Repeat("ü", 1<<19) + `"}`, "external_ids": "{}", "found_by": "[]", "updated_at": nil, "seen_at": at(4), "writes": 1},
		{"place": 0, "id": "a3", "version": `W/"2"`, "document": `{"text":"` + strings.Repeat("ü", 1<<19) + `"}`, "external_ids": "{}", "found_by": "[]", "updated_at": nil, "seen_at": at(4), "writes": 1},
		{"place": 1, "id": "a4", "version": `W/"2"`, "document": awkward, "external_ids": "{}", "found_by": "[]", "updated_at": nil, "seen_at": at(4), "writes": 1},
	},
	"scim_values": {
		{"path": []byte("username"), "value_key": []byte("größe@example.com"), "place": 1},
		{"path": []byte("username"), "value_key": []byte("größe@example.com"), "place": 2},
		{"path": []byte("username"), "value_key": []byte("größe@example.com"), "place": int64(math.MinInt64)},
		{"path": []byte("username"), "value_key": []byte{0, 0xff, '\'', '\\', 0x80}, "place": 1},
		{"path": []byte("username"), "value_key": []byte{}, "place": 1},
		{"path": []byte("emails"), "value_key": []byte("z"), "place": 1},
		{"path": []byte{0xff}, "value_key": []byte("a"), "place": 1},
	},
	"scim_counts": {{"bucket": -1024, "users": 1}, {"bucket": 0, "users": 2}, {"bucket": 1023, "users": 1}},
	"scim_groups": {
		{"place": 1, "id": "g1", "name": "Größe", "name_key": []byte("größe"), "version": int64(math.MaxInt64), "writes": 2, "created_at": at(0), "updated_at": at(1)},
		{"place": int64(math.MaxInt64), "id": "g2", "name": awkward, "name_key": []byte{0, 0xff, '\'', '\\', 0x80}, "version": 1, "writes": 1, "created_at": at(0), "updated_at": at(1)},
	},
	"scim_members": {{"group_place": 1, "user_id": "a1"}, {"group_place": 1, "user_id": "A1"}, {"group_place": int64(math.MaxInt64), "user_id": "a1"}},
	"scim_group_external_ids": {
		{"client": "okta", "group_place": 1, "external_id": "00g1", "external_key": []byte("00g1")},
		{"client": "größe", "group_place": 1, "external_id": awkward, "external_key": []byte{0xff}},
	},
	"scim_group_tasks":    {{"group_place": 1, "deleted": 1, "name": awkward, "after_user": "", "changes": 3}, {"group_place": 2, "deleted": 0, "name": "", "after_user": "a1", "changes": 1}},
	"scim_identity_tasks": {{"user_id": "a1", "due_at": at(0), "tries": 2, "changes": 3}, {"user_id": "a2", "due_at": at(1), "tries": 0, "changes": 1}},
	"scim_passes":         {{"name": "users", "began_at": at(0)}, {"name": "something else", "began_at": at(1)}},
	"people": {
		{"place": int64(math.MaxInt64), "identity_id": "STAFF/9f42", "terms": "dAAAA\nwgröße", "number_key": "k", "seen_at": at(0)},
		{"place": 0, "identity_id": "i", "terms": "", "number_key": "k", "seen_at": at(1)},
	},
	"people_terms": {
		{"term": []byte("wgröße"), "place": int64(math.MaxInt64)}, {"term": []byte("wgröße"), "place": 0}, {"term": []byte("dAAAA"), "place": 0},
	},
	"progress": {{"name": "people", "row_id": "a1", "moment": at(0)}, {"name": "statistics", "row_id": "", "moment": at(1)}},
	"statistics": {
		{"hour": 0, "subject": "code:49", "requested": 3, "confirmed": 1, "failed": 1, "withdrawn": 1, "wrong": 7, "sent": 0, "unsent": 0, "delay_us": 0},
		{"hour": 0, "subject": "gateway:größe", "requested": 0, "confirmed": 0, "failed": 0, "withdrawn": 0, "wrong": 0, "sent": 2, "unsent": 1, "delay_us": int64(math.MaxInt64)},
		{"hour": int64(491770), "subject": "code:49", "requested": 1, "confirmed": 0, "failed": 0, "withdrawn": 0, "wrong": 0, "sent": 0, "unsent": 0, "delay_us": 0},
	},
}
