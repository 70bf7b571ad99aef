package console

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
)

// moment is something that happened to a claim.
type moment struct {
	At     time.Time
	Class  string // good, bad or blank
	What   string
	Detail string
	Who    audit.Actor // zero for a provider
	Number string      // masked; blank where one claim is told of
	order  int64       // of what happened at the same time
}

// timeline merges what the audit trail, texts and receipts tell, oldest first.
func timeline(h admin.ClaimHistory) []moment {
	var all []moment
	for _, e := range h.Events {
		m := moment{At: e.At, Class: eventClass(e.Kind), What: kindName(e.Kind), Detail: e.Reason, Who: e.Actor, order: e.ID}
		if h.Claim.ID == "" {
			m.Number = e.Number
		}
		all = append(all, m)
	}
	const afterEvents = 1 << 62
	for _, t := range h.Texts {
		all = append(all, textMoments(t, afterEvents)...)
	}
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.order, b.order)) })
	return all
}

func eventClass(kind string) string {
	switch claim.State(kind) {
	case claim.Verified, claim.Applied:
		return "good"
	case claim.Locked, claim.Conflict, claim.Orphaned, "disputed", claim.WrongCode:
		return "bad"
	default:
		return ""
	}
}

// textMoments are when a text was queued, how that ended, and what providers
// said of it later.
func textMoments(t admin.TextRecord, order int64) []moment {
	name := textName(t.Text)
	queued := moment{At: t.CreatedAt, What: name + ": queued", Detail: joined("to "+t.To.String(), tries(t.Tries), t.Reason), order: order}
	if t.Channel == message.ChannelWebhook {
		queued.Detail = joined("to the operator's webhook", tries(t.Tries), t.Reason)
	}
	if t.DoneAt.IsZero() {
		return []moment{queued}
	}
	queued.Detail = strings.TrimSuffix(queued.Detail, " · "+t.Reason)
	done := moment{At: t.DoneAt, What: name + ": " + string(t.State), Detail: t.Reason, order: order + 1}
	switch t.State {
	case message.TextFailed, message.TextDropped:
		done.Class = "bad"
	default: // what receipts say has moments of its own
		done.What = name + ": taken by " + t.Gateway
	}
	moments := []moment{queued, done}
	for i, r := range t.Receipts {
		m := moment{At: r.At, What: name + ": " + string(r.State), Detail: joined(r.Gateway+" says so", r.Detail), order: order + 2 + int64(i)}
		switch r.State {
		case message.ReceiptDelivered:
			m.Class = "good"
		case message.ReceiptUndelivered:
			m.Class = "bad"
		case message.ReceiptAccepted:
		}
		moments = append(moments, m)
	}
	return moments
}

func tries(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 try in vain"
	default:
		return counted(n) + " tries in vain"
	}
}

// joined puts a dot between what is not blank.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " · ")
}
