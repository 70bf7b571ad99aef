package doctor

import "maps"

// cookie stands for a session cookie in samples. It must not leave Kratos.
const cookie = "a session cookie that must stay in Kratos"

// sample is a flow as Kratos hands it to the templates of hooks.
type sample struct {
	what string
	flow map[string]any
}

// samples are flows of all kinds that matter: what a template makes of them shows
// what it does.
func (r Realm) samples() []sample {
	type object = map[string]any
	trait, pendingKey := r.Hook.MobileTrait, r.Hook.PendingKey
	person := func(mobile, pending string) object {
		traits := object{"email": "person@example.com", "name": "Person", r.Hook.LocaleTrait: "de"}
		metadata, addresses := object{"kept": true}, []any{}
		if mobile != "" {
			traits[trait] = mobile
			addresses = append(addresses, object{"id": "a", "value": mobile, "via": "sms", "verified": true, "status": "completed"})
		}
		if pending != "" {
			metadata[pendingKey] = pending
		}
		return object{
			"id": "i", "schema_id": "person", "state": "active", "traits": traits,
			"metadata_public": metadata, "verifiable_addresses": addresses,
		}
	}
	flow := func(before, after object) object {
		return object{
			"flow": object{"id": "f", "type": "browser", "identity": before}, "identity": after,
			"session":         object{"authenticated_at": "2026-01-01T00:00:00Z"},
			"request_headers": object{"Accept-Language": []any{"de"}, r.Hook.AddressHeader: []any{"192.0.2.1"}},
			"request_cookies": object{"ory_kratos_session": cookie},
			"request_method":  "POST", "request_url": "https://id.example.com/self-service/settings",
		}
	}
	const first, second = "+491711111111", "+491712222222"
	// Kratos has dropped the old number's address from the proposed identity.
	proposed := func(mobile, pending string) object {
		after := maps.Clone(person(mobile, pending))
		after["verifiable_addresses"] = []any{}
		return after
	}
	// bare is the least that Kratos v1.3 hands over: no session, no headers, and null
	// where an identity has nothing.
	bare := func(f object) object {
		delete(f, "session")
		f["request_headers"] = object{}
		for _, of := range []any{f["identity"], f["flow"].(object)["identity"]} {
			identity := of.(object)
			identity["metadata_public"], identity["verifiable_addresses"] = nil, nil
		}
		return f
	}
	return []sample{
		{"another number", flow(person(first, ""), proposed(second, ""))},
		{"the same number", flow(person(first, ""), person(first, ""))},
		{"a first number", flow(person("", ""), proposed(second, ""))},
		{"a number that is removed", flow(person(first, ""), proposed("", ""))},
		{"another number while one is pending", flow(person(first, second), proposed("+491713333333", second))},
		{"a number that is held back", flow(person(first, ""), person(first, second))},
		{"another number of an identity with nothing else", bare(flow(person(first, ""), person(second, "")))},
	}
}
