package hook

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/textclean"
	"github.com/holdline/holdline/internal/web"
)

// stage rules on a flow. Whatever goes wrong is a message at the number's field
// and status 400: Kratos would repeat a 429 or 5xx, and make no sense of others.
func (h handlers) stage(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), patience)
	defer cancel()
	in, change, err := h.readStage(ctx, c)
	if err != nil {
		h.refuse(c, err, in.language())
		return
	}
	answer, err := h.claims.Stage(ctx, change)
	switch {
	case err != nil:
		h.refuse(c, err, in.language())
	case answer.Interrupt:
		web.Answer(c, http.StatusBadRequest, h.interruption(answer.Pending, in.language()))
	default:
		web.Answer(c, http.StatusOK, h.answer(in, answer))
	}
}

// identity is the part of Kratos' web hook answer that replaces what the flow
// proposed. Each member replaces the whole of its kind; one that is left out
// stays as proposed.
type identity struct {
	Traits         object          `json:"traits"`
	MetadataPublic object          `json:"metadata_public"` // {} empties it
	Addresses      json.RawMessage `json:"verifiable_addresses,omitempty"`
}

type stageAnswer struct {
	Identity identity `json:"identity"`
}

// answer puts a ruling into Kratos' terms: the traits as proposed, with the old
// number back where the new one is held back or merely spelled otherwise; the
// addresses of before with it, because the old number would lose its verified
// mark otherwise; and the pending number in the public metadata.
func (h handlers) answer(in settingsBody, ruling claim.Answer) stageAnswer {
	out := identity{Traits: maps.Clone(in.Traits), MetadataPublic: maps.Clone(in.MetadataPublic)}
	switch ruling.Decision {
	case claim.NoChange, claim.KeepPending, claim.Challenge, claim.CancelPending, claim.RejectRemoval:
		delete(out.Traits, h.MobileTrait)
		if in.OldMobile != nil {
			out.Traits[h.MobileTrait] = quote(*in.OldMobile)
		}
		if string(in.Addresses) != "[]" && string(in.Addresses) != "null" {
			out.Addresses = in.Addresses
		}
	case claim.WriteDirectly, claim.Remove, claim.WriteUnverified:
	}
	if raw, there := out.Traits[h.MobileTrait]; there && isBlank(raw) {
		delete(out.Traits, h.MobileTrait)
		out.Addresses = withoutBlank(out.Addresses)
	}
	if out.MetadataPublic == nil {
		out.MetadataPublic = object{}
	}
	if ruling.Pending.IsZero() {
		delete(out.MetadataPublic, h.PendingKey)
	} else {
		out.MetadataPublic[h.PendingKey] = quote(ruling.Pending.Unmasked())
	}
	return stageAnswer{out}
}

// isBlank reports whether a trait is null, or text of which nothing can be seen.
// Kratos would keep an address of it, which only one person can have.
func isBlank(raw json.RawMessage) bool {
	var s *string
	return json.Unmarshal(raw, &s) == nil && (s == nil || textclean.Blank(*s))
}

// withoutBlank leaves the addresses out that stand for no number; nil stays nil.
func withoutBlank(addresses json.RawMessage) json.RawMessage {
	var all []json.RawMessage
	if json.Unmarshal(addresses, &all) != nil {
		return addresses // change has read them
	}
	kept := slices.DeleteFunc(slices.Clone(all), func(raw json.RawMessage) bool {
		var a struct{ Value string }
		return json.Unmarshal(raw, &a) == nil && textclean.Blank(a.Value)
	})
	switch len(kept) {
	case len(all):
		return addresses // word for word
	case 0:
		return nil
	}
	out, err := json.Marshal(kept)
	if err != nil {
		return addresses
	}
	return out
}

// quote writes a JSON string.
func quote(s string) json.RawMessage {
	raw, err := json.Marshal(s)
	if err != nil {
		return json.RawMessage(`""`) // a string always marshals
	}
	return raw
}
