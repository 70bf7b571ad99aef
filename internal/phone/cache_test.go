package phone_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/holdline/holdline/internal/phone"
)

// What was read before reads the same, in this order and in any other.
func TestACacheChangesNoAnswer(t *testing.T) {
	many := 2100
	for _, bare := range []phone.Parser{
		{Format: phone.FormatE164}, {Format: phone.FormatE164, Region: "DE"}, {Format: phone.FormatRaw},
	} {
		cached := bare
		cached.Cache = phone.NewCache()
		var texts []string
		for i := range many { // more than are kept
			texts = append(texts, fmt.Sprintf("+49151%08d", i))
		}
		many = 0 // once
		texts = append(
			texts, "+4915112345678", " +49 151 12345678", "tel:+49-151-12345678", "0151 12345678", "+521234567890123", "+5491123456789",
			"", "12", "+1 800 FLOWERS", "+49 30 123456/9", "＋４９ １５１ １２３４５６７８", "\u200e+4915112345678",
		)
		wants, wantErrs := make([]phone.Number, len(texts)), make([]error, len(texts))
		for i, text := range texts {
			wants[i], wantErrs[i] = phone.Parse(bare, text)
		}
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				for round := range 2 {
					for i := range texts {
						if round == 1 {
							i = len(texts) - 1 - i
						}
						got, err := phone.Parse(cached, texts[i])
						if got != wants[i] || fmt.Sprint(err) != fmt.Sprint(wantErrs[i]) {
							t.Errorf("%+q: got %#v, %v; want %#v, %v", texts[i], got, err, wants[i], wantErrs[i])
						}
					}
				}
			})
		}
		readers.Wait()
	}
}

// The same number is not worked out again, whatever comes between two requests of it, up
// to a thousand others.
func TestACachedNumberCostsNothing(t *testing.T) {
	plan := phone.Parser{Format: phone.FormatE164, Cache: phone.NewCache()}
	read := func(text string) {
		if _, err := phone.Parse(plan, text); err != nil {
			t.Fatal(err)
		}
	}
	const text = "+4915112345678"
	read(text)
	for i := range 1000 {
		read(fmt.Sprintf("+49171%08d", i))
	}
	if got := testing.AllocsPerRun(10, func() { read(text) }); got > 0 {
		t.Errorf("got %v allocations", got)
	}
}
