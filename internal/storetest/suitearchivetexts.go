package storetest

import (
	"slices"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
)

// text queues a text n seconds after noon and, unless the state is queued, ends
// it; its message is named after it.
func (f *archived) text(id string, c claim.Claim, n int, state message.TextState, gateway string) {
	f.Helper()
	text := *textFor(id, c)
	text.CreatedAt = noon.Add(time.Duration(n) * time.Second)
	f.commit(claim.Change{Text: &text, At: text.CreatedAt})
	if state != message.TextQueued {
		f.want(f.store.Done(f.Context(), message.TextResult{
			TextID: id, State: state, Gateway: gateway, ProviderID: "message-" + id, Reason: "because", At: noon,
		}), nil)
	}
}

func (f *archived) texts(q admin.TextQuery) []string {
	f.Helper()
	if q.Limit == 0 {
		q.Limit = 99
	}
	found, err := f.archive.FindTexts(f.Context(), q)
	f.want(err, nil)
	ids := []string{}
	for _, t := range found {
		ids = append(ids, t.ID)
	}
	return ids
}

// textsEndTogether: each with its own result; what has ended before stays as it is.
func textsEndTogether(f *archived) {
	c := f.create(open("c", bob))
	var results []message.TextResult
	for i, state := range []message.TextState{message.TextSent, message.TextFailed, message.TextDropped, message.TextSent} {
		f.text(name("t", i), c, i, message.TextQueued, "")
		results = append(results, message.TextResult{
			TextID: name("t", i), State: state, Gateway: name("gateway", i), ProviderID: name("message", i), Reason: name("reason", i), At: noon,
		})
	}
	late := results[1]
	late.State, late.Gateway = message.TextSent, "late"
	f.want(f.store.Done(f.Context()), nil)
	f.want(f.store.Done(f.Context(), results[0]), nil)
	f.want(f.store.Done(f.Context(), results[1:3]...), nil)
	f.want(f.store.Done(f.Context(), late, message.TextResult{TextID: "missing", State: message.TextSent, At: noon}, results[3]), nil)
	found, err := f.archive.FindTexts(f.Context(), admin.TextQuery{Limit: 9})
	f.want(err, nil)
	slices.Reverse(found) // oldest first
	f.same(len(found), len(results))
	for i, t := range found {
		f.same([]string{t.ID, string(t.State), t.Gateway, t.Reason},
			[]string{results[i].TextID, string(results[i].State), results[i].Gateway, results[i].Reason})
		f.same(t.DoneAt, noon)
	}
}

func textsFound(f *archived) {
	f.same(f.texts(admin.TextQuery{}), []string{})
	c, d := f.create(open("c", bob)), f.create(open("d", alice))
	f.text("a", c, 0, message.TextSent, "main")
	f.text("b", d, 1, message.TextSent, "backup")
	f.text("e", c, 1, message.TextFailed, "backup")
	f.text("f", d, 2, message.TextQueued, "")
	for _, tt := range []struct {
		query admin.TextQuery
		want  []string
	}{
		{admin.TextQuery{}, []string{"f", "e", "b", "a"}},
		{admin.TextQuery{Limit: 2}, []string{"f", "e"}},
		{admin.TextQuery{After: admin.Cursor{At: noon.Add(time.Second), ID: "e"}}, []string{"b", "a"}},
		{admin.TextQuery{ClaimID: "c"}, []string{"e", "a"}},
		{admin.TextQuery{ClaimID: "c", After: admin.Cursor{At: noon.Add(time.Second), ID: "e"}}, []string{"a"}},
		{admin.TextQuery{ClaimID: "c", State: message.TextSent}, []string{"a"}},
		{admin.TextQuery{ClaimID: "nobody's"}, []string{}},
		{admin.TextQuery{State: message.TextSent}, []string{"b", "a"}},
		{admin.TextQuery{State: message.TextQueued}, []string{"f"}},
		{admin.TextQuery{Gateway: "backup"}, []string{"e", "b"}},
		{admin.TextQuery{Gateway: "backup", State: message.TextSent}, []string{"b"}},
		{admin.TextQuery{Gateway: "backup", State: message.TextFailed}, []string{"e"}},
		{admin.TextQuery{Gateway: "main", State: message.TextFailed}, []string{}},
	} {
		if got := f.texts(tt.query); !slices.Equal(got, tt.want) {
			f.Errorf("%+v finds %v, want %v", tt.query, got, tt.want)
		}
	}
}

func textsTell(f *archived) {
	c := f.create(open("c", bob))
	f.text("a", c, 0, message.TextFailed, "main")
	f.text("b", c, 1, message.TextQueued, "")
	f.want(f.store.PutOff(f.Context(), "b", noon.Add(time.Minute), "busy"), nil)
	notice := textFor("n", c)
	notice.Kind, notice.CreatedAt = message.TextChanged, noon.Add(2*time.Second)
	f.commit(claim.Change{Notices: []message.Text{*notice}, At: noon})
	want := []admin.TextRecord{
		{Text: *notice, State: message.TextQueued},
		{Text: *textFor("b", c), State: message.TextQueued, Tries: 1, Reason: "busy"},
		{Text: *textFor("a", c), State: message.TextFailed, Gateway: "main", Reason: "because", DoneAt: noon},
	}
	want[1].CreatedAt, want[1].LeaseUntil = noon.Add(time.Second), noon.Add(time.Minute)
	for _, q := range []admin.TextQuery{{Limit: 9}, {Limit: 9, ClaimID: "c"}} {
		got, err := f.archive.FindTexts(f.Context(), q)
		f.want(err, nil)
		f.same(got, want)
	}
	f.want(f.store.DropTexts(f.Context(), []string{"n"}, noon.Add(day), "too late"), nil)
	got, err := f.archive.FindTexts(f.Context(), admin.TextQuery{State: message.TextDropped, Limit: 9})
	f.want(err, nil)
	want[0].State, want[0].Reason, want[0].DoneAt = message.TextDropped, "too late", noon.Add(day)
	f.same(got, want[:1])
}

// textsReceipts has receipts that name a text in both ways, and strangers.
func textsReceipts(f *archived) {
	c := f.create(open("c", bob))
	f.text("a", c, 0, message.TextSent, "main")
	f.text("b", c, 1, message.TextSent, "backup")
	f.text("e", c, 2, message.TextSent, "main")
	late := receipt("a", message.ReceiptDelivered, 2*time.Second)
	late.Detail = "by our id"
	early := receipt("message-a", message.ReceiptAccepted, 0)
	middle := receipt("message-a", message.ReceiptUndelivered, time.Second)
	backup := receipt("message-b", message.ReceiptUndelivered, 0)
	backup.Gateway = "backup"
	f.record(late, middle, early, backup, receipt("message-b", message.ReceiptDelivered, 0), receipt("stranger", message.ReceiptDelivered, 0))
	for _, q := range []admin.TextQuery{{Limit: 9, ClaimID: "c"}, {Limit: 9}} {
		got, err := f.archive.FindTexts(f.Context(), q)
		f.want(err, nil)
		receipts, states := [][]message.Receipt{}, []message.TextState{}
		for _, t := range got {
			receipts, states = append(receipts, t.Receipts), append(states, t.State)
		}
		f.same(states, []message.TextState{message.TextSent, message.TextUndelivered, message.TextDelivered})
		want := [][]message.Receipt{nil, nil, nil}
		if q.ClaimID != "" {
			want = [][]message.Receipt{nil, {backup}, {early, middle, late}}
		}
		f.same(receipts, want)
	}
}

func textsPaged(f *archived) {
	c, made := f.create(open("c", bob)), 0
	add := func(n int) {
		id := string(rune('a'+made*7%26)) + name("t", made)
		made++
		f.text(id, c, n, message.TextSent, "main")
	}
	for query, q := range map[string]admin.TextQuery{
		"all": {}, "state": {State: message.TextSent}, "gateway": {Gateway: "main"}, "claim": {ClaimID: "c"},
	} {
		for i := range 11 {
			add(i / 5)
		}
		want, got := f.texts(q), []string{}
		for q.Limit = 3; ; {
			page, err := f.archive.FindTexts(f.Context(), q)
			f.want(err, nil)
			if len(page) == 0 {
				break
			}
			for _, t := range page {
				got = append(got, t.ID)
				q.After = admin.Cursor{At: t.CreatedAt, ID: t.ID}
			}
			add(1000 + made) // on top
		}
		if !slices.Equal(got, want) {
			f.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
}
