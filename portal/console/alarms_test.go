package console_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
)

// denied raises an alarm about bob's number.
func (w *world) denied() claim.Alarm {
	w.t.Helper()
	a := claim.Alarm{
		ID: w.newID(), IdentityID: bob, Denied: message.TextChanged, Number: phone.FromStore(wanted), Previous: phone.FromStore(before),
		PreviousVerified: true, ClientIP: "203.0.113.9", RaisedAt: w.Now(), BlockedUntil: w.Now().Add(24 * time.Hour), Version: 1,
	}
	if err := w.store.Commit(w.t.Context(), claim.Change{Raise: &a, At: w.Now()}); err != nil {
		w.t.Fatal(err)
	}
	w.identities.Put(claim.Identity{ID: bob, Mobile: wanted, Verified: true})
	w.directory.Put(people.Profile{Identity: claim.Identity{ID: bob, Mobile: wanted, Verified: true}, Name: "Bob Meier"})
	return a
}

func TestADeniedChangeIsDecidedOn(t *testing.T) {
	w := newWorld(t)
	a := w.denied()
	b, path := w.administrator(), "/console/alarms/"+a.ID
	says(t, b.get("/console/"), http.StatusOK, "One person says that they did not want a change of number.", `href="/console/alarms"`)
	says(t, b.get("/console/alarms"), http.StatusOK, path, "to be decided", "+49********00")
	says(t, b.get(path), http.StatusOK, "the number was changed", "Bob Meier", "+49********11", ", verified", "203.0.113.9", path+"/restore", path+"/end-sessions", path+"/lift", path+"/close")
	says(t, b.follow(b.post(path+"/end-sessions", nil)), http.StatusOK, "All sessions of the account are ended.")
	if w.ended != 1 {
		t.Errorf("sessions were ended %d times", w.ended)
	}
	says(t, b.follow(b.post(path+"/lift", nil)), http.StatusOK, "The number can be changed again.")
	says(t, b.get(path+"/restore"), http.StatusOK, "has <bdi dir=\"ltr\" class=\"number\">+49********00</bdi> again, marked verified, as it was")
	says(t, b.follow(b.post(path+"/restore", nil)), http.StatusOK, "The number from before is in force again", "The case is restored.")
	if i, err := w.identities.Identity(t.Context(), bob); err != nil || i.Mobile != before || !i.Verified {
		t.Errorf("got %+v, %v", i, err)
	}
	if after, _ := w.store.Alarm(t.Context(), a.ID); after.Outcome != claim.AlarmRestored || after.ClosedBy != "ops" || after.LiftedBy != "ops" {
		t.Errorf("got %+v", after)
	}
	kinds := map[string]bool{}
	for _, e := range w.store.Events() {
		kinds[e.Kind] = kinds[e.Kind] || e.Actor == ops
	}
	if !kinds[claim.NumberPutBack] || !kinds[claim.SessionsEnded] || !kinds[claim.BlockLifted] {
		t.Errorf("got the events %v", kinds)
	}
	says(t, b.post(path+"/restore", nil), http.StatusConflict, "Somebody has decided on it already.")
	says(t, b.get("/console/alarms"), http.StatusOK, "Nothing is to be decided.")
	says(t, b.get("/console/alarms?show=all"), http.StatusOK, "restored")
	says(t, b.get("/console/alarms/none"), http.StatusNotFound, "There is no such alarm")
	says(t, b.post(path+"/dance", nil), http.StatusNotFound)

	w.pass(time.Hour)
	b = w.administrator()
	other := w.denied()
	says(t, b.follow(b.post("/console/alarms/"+other.ID+"/close", nil)), http.StatusOK, "The case is closed.")
	if i, _ := w.identities.Identity(t.Context(), bob); i.Mobile != wanted {
		t.Error("closing a case changes the number")
	}
}

func TestAPrivilegedPersonsAlarmIsForPrivilegedAdministrators(t *testing.T) {
	w := newWorld(t)
	a := w.denied()
	w.privileged = bob
	b := w.administrator()
	for _, act := range []string{"restore", "end-sessions", "lift", "close"} {
		says(t, b.post("/console/alarms/"+a.ID+"/"+act, nil), http.StatusForbidden, "Only administrators who are privileged themselves")
	}
	if i, _ := w.identities.Identity(t.Context(), bob); i.Mobile != wanted || w.ended != 0 {
		t.Error("something was done")
	}
	if after, _ := w.store.Alarm(t.Context(), a.ID); after.Closed() {
		t.Error("the case is closed")
	}
}
