package storetest

import (
	"context"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
)

// receipt is what a gateway says of a message, so long after noon.
func receipt(msg string, state message.ReceiptState, after time.Duration) message.Receipt {
	return message.Receipt{Gateway: "main", Message: msg, State: state, Detail: string(state), At: noon.Add(after)}
}

func (f *fixture) record(receipts ...message.Receipt) {
	f.Helper()
	for _, r := range receipts {
		f.want(f.store.Record(f.Context(), r), nil)
	}
}

func (f *fixture) wantText(claimID string, want message.TextState) {
	f.Helper()
	got, err := f.store.TextState(f.Context(), claimID)
	f.want(err, nil)
	f.same(got, want)
}

// sent makes a claim whose text went out, under the claim's id with the provider.
func (f *fixture) sent(id, identityID string) claim.Claim {
	f.Helper()
	c := open(id, identityID)
	f.commit(claim.Change{Create: &c, Text: textFor("text-"+id, c), At: noon})
	f.want(f.store.Done(f.Context(), message.TextResult{
		TextID: "text-" + id, State: message.TextSent, Gateway: "main", ProviderID: "message-" + id, At: noon,
	}), nil)
	return c
}

// receiptsTell goes through the orders in which receipts of one message can come.
func receiptsTell(f *fixture) {
	const accepted, delivered, undelivered = message.ReceiptAccepted, message.ReceiptDelivered, message.ReceiptUndelivered
	for i, tt := range []struct {
		receipts []message.Receipt
		want     message.TextState
	}{
		{nil, message.TextSent},
		{[]message.Receipt{receipt("", accepted, 0)}, message.TextSent},
		{[]message.Receipt{receipt("", delivered, 0)}, message.TextDelivered},
		{[]message.Receipt{receipt("", undelivered, 0)}, message.TextUndelivered},
		{[]message.Receipt{receipt("", accepted, 0), receipt("", delivered, 1*time.Second)}, message.TextDelivered},
		{[]message.Receipt{receipt("", delivered, 0), receipt("", accepted, 1*time.Second)}, message.TextDelivered},
		{[]message.Receipt{receipt("", undelivered, 0), receipt("", delivered, 1*time.Second)}, message.TextDelivered},
		{[]message.Receipt{receipt("", delivered, 0), receipt("", undelivered, 1*time.Second)}, message.TextUndelivered},
		{[]message.Receipt{receipt("", delivered, 0), receipt("", undelivered, 0)}, message.TextUndelivered},
		{[]message.Receipt{ // a replay is no news
			receipt("", undelivered, 0), receipt("", delivered, 1*time.Second), receipt("", undelivered, 2*time.Second),
		}, message.TextDelivered},
	} {
		for _, name := range []string{"message-", "text-"} { // the provider's id, and ours
			id := name + string(rune('a'+i))
			f.sent(id, id)
			for _, r := range tt.receipts {
				r.Message = name + id
				f.record(r)
			}
			f.wantText(id, tt.want)
		}
	}
}

func receiptsMatch(f *fixture) {
	c := f.sent("c", bob)
	elsewhere := receipt("message-c", message.ReceiptDelivered, 0)
	elsewhere.Gateway = "other"
	unnamed := receipt("", message.ReceiptDelivered, 0)
	f.record(elsewhere, unnamed, receipt("message-d", message.ReceiptDelivered, 0), receipt("MESSAGE-C", message.ReceiptDelivered, 0))
	f.wantText("c", message.TextSent)

	// One that is faster than the answer waits for it.
	d := open("d", alice)
	f.commit(claim.Change{Create: &d, Text: textFor("text-d", d), At: noon})
	f.wantText("d", message.TextQueued)
	f.want(f.store.Done(f.Context(), message.TextResult{
		TextID: "text-d", State: message.TextSent, Gateway: "main", ProviderID: "message-d", At: noon,
	}), nil)
	f.wantText("d", message.TextDelivered)

	// A newer text has its own.
	f.record(receipt("message-c", message.ReceiptUndelivered, 0))
	f.wantText("c", message.TextUndelivered)
	newer := textFor("newer", c)
	newer.CreatedAt = noon.Add(time.Second)
	f.commit(claim.Change{Text: newer, At: noon})
	f.wantText("c", message.TextQueued)
}

func receiptsAreKeptOnce(f *fixture) {
	f.record(receipt("m", message.ReceiptDelivered, 0))
	errs := together(f.Context(), 8, func(ctx context.Context, i int) error {
		return f.store.Record(ctx, receipt("m", message.ReceiptDelivered, time.Duration(i)*time.Second))
	})
	f.wantWinners(errs, len(errs), nil)
	f.record(receipt("m", message.ReceiptAccepted, 0))
	other := receipt("m", message.ReceiptDelivered, 0)
	other.Detail = "read"
	f.record(other)
	for _, want := range []int{3, 0} {
		n, err := f.store.Prune(f.Context(), noon.Add(day), 9)
		f.want(err, nil)
		f.same(n, want)
	}
}

func receiptsArePruned(f *fixture) {
	before := noon.Add(-day)
	gone := ended("gone", bob, before.Add(-time.Second))
	f.create(gone)
	young := f.sent("young", alice)
	f.record(receipt("message-young", message.ReceiptDelivered, -day))
	for i := range 5 {
		f.record(receipt(name("old", i), message.ReceiptDelivered, -day-time.Duration(i+1)*time.Microsecond))
	}
	for _, want := range []int{1, 2, 2, 1, 0} { // claims first
		n, err := f.store.Prune(f.Context(), before, 2)
		f.want(err, nil)
		f.same(n, want)
	}
	f.wantText(young.ID, message.TextDelivered)
}
