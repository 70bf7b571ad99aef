package claim_test

import (
	"testing"

	"github.com/holdline/holdline/claim"
)

func TestDecide(t *testing.T) {
	old, next, other := claim.RestoreMobile("+491711111111"), claim.RestoreMobile("+491722222222"), claim.RestoreMobile("+491733333333")
	spelled := claim.RestoreMobile("+49 171 1111111")
	base := claim.Request{
		Enabled: true, RemovalAllowed: true, Origin: claim.OriginSCIM, Asked: true, Touch: claim.TouchExplicit,
		Wanted: next, Stored: old, StoredVerified: true,
	}
	for name, tt := range map[string]struct {
		change func(*claim.Request)
		want   claim.Ruling
	}{
		"D1 number not touched":                  {func(r *claim.Request) { r.Touch = claim.TouchNone }, claim.Leave},
		"D1 not touched, feature off":            {func(r *claim.Request) { r.Touch, r.Enabled = claim.TouchNone, false }, claim.Leave},
		"D1 form repeats the stored number":      {func(r *claim.Request) { r.Touch, r.Wanted, r.Pending = claim.TouchWhole, old, next }, claim.Leave},
		"D1 form repeats it in another spelling": {func(r *claim.Request) { r.Touch, r.Wanted = claim.TouchWhole, spelled }, claim.Leave},
		"D1 PUT without a number where there is none": {func(r *claim.Request) {
			r.Touch, r.Wanted, r.Stored, r.Pending = claim.TouchWhole, claim.Mobile{}, claim.Mobile{}, next
		}, claim.Leave},
		"D2 feature off":          {func(r *claim.Request) { r.Enabled = false }, claim.Write},
		"D2 feature off, removal": {func(r *claim.Request) { r.Enabled, r.Wanted, r.RemovalAllowed = false, claim.Mobile{}, false }, claim.Write},
		"D3 removed":              {func(r *claim.Request) { r.Wanted = claim.Mobile{} }, claim.Remove},
		"D3 removed where there is none, but a claim is": {func(r *claim.Request) { r.Wanted, r.Stored, r.Pending = claim.Mobile{}, claim.Mobile{}, next }, claim.Remove},
		"D3 removal denied":                       {func(r *claim.Request) { r.Wanted, r.RemovalAllowed = claim.Mobile{}, false }, claim.RefuseRemoval},
		"D3 removed without verifyMobile":         {func(r *claim.Request) { r.Wanted, r.Asked = claim.Mobile{}, false }, claim.Remove},
		"D4 taken back":                           {func(r *claim.Request) { r.Wanted, r.Pending = old, next }, claim.TakeBack},
		"D4 in another spelling, nothing pending": {func(r *claim.Request) { r.Wanted = spelled }, claim.TakeBack},
		"D5 stored but not verified":              {func(r *claim.Request) { r.Wanted, r.StoredVerified = old, false }, claim.Challenge},
		"D5 always, not asked":                    {func(r *claim.Request) { r.Wanted, r.StoredVerified, r.Asked, r.VerifyAlways = old, false, false, true }, claim.Challenge},
		"D5 by a privileged actor":                {func(r *claim.Request) { r.Wanted, r.StoredVerified, r.Privileged = old, false, true }, claim.Challenge},
		"D5 retried at once is D8":                {func(r *claim.Request) { r.Wanted, r.StoredVerified, r.Pending, r.CoolingDown = old, false, old, true }, claim.KeepPending},
		"D5 not asked is D7":                      {func(r *claim.Request) { r.Wanted, r.StoredVerified, r.Asked = old, false, false }, claim.WriteUnverified},
		"D6 privileged, switch off":               {func(r *claim.Request) { r.Privileged = true }, claim.WriteUnverified},
		"D6 before D8":                            {func(r *claim.Request) { r.Privileged, r.Pending, r.CoolingDown = true, next, true }, claim.WriteUnverified},
		"D9 privileged, switch on":                {func(r *claim.Request) { r.Privileged, r.VerifyPrivileged = true, true }, claim.Challenge},
		"D7 not asked":                            {func(r *claim.Request) { r.Asked = false }, claim.WriteUnverified},
		"D9 not asked, always":                    {func(r *claim.Request) { r.Asked, r.VerifyAlways = false, true }, claim.Challenge},
		"D9 settings never ask":                   {func(r *claim.Request) { r.Asked, r.Origin, r.Touch = false, claim.OriginSettings, claim.TouchWhole }, claim.Challenge},
		"D8 same number at once":                  {func(r *claim.Request) { r.Pending, r.CoolingDown = next, true }, claim.KeepPending},
		"D9 same number later":                    {func(r *claim.Request) { r.Pending = next }, claim.Challenge},
		"D9 another number at once":               {func(r *claim.Request) { r.Pending, r.CoolingDown = other, true }, claim.Challenge},
		"D9 first number":                         {func(r *claim.Request) { r.Stored, r.StoredVerified = claim.Mobile{}, false }, claim.Challenge},
	} {
		t.Run(name, func(t *testing.T) {
			request := base
			tt.change(&request)
			if got := claim.Decide(request); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
