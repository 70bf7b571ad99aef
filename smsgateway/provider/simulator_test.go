package provider_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

func TestSimulatorShowsTheNewestTexts(t *testing.T) {
	now := smstest.Start
	phone := provider.NewSimulator(2, func() time.Time { return now })
	for i := range 3 {
		m := smstest.NewMessage()
		m.ID = fmt.Sprint(i)
		if _, err := phone.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	got := phone.Texts()
	want := provider.Received{To: smstest.Number, Body: smstest.NewMessage().Body, At: smstest.Start.Add(2 * time.Second), ID: "2"}
	if len(got) != 2 || got[0] != want || got[1].ID != "1" {
		t.Errorf("got %v", got)
	}
}
