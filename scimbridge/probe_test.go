package scimbridge_test
import ("testing";"net/http")
func TestProbe(t *testing.T) {
	w := newWorld(t)
	t.Log(w.as(okta, http.MethodPost, "/Users", `{"userName":"raw2@example.com",`+mobile("tel:+49-171-0000000")+`}`).text)
	bob := w.user("bob", mobile(m0))
	w.as(bob, http.MethodPut, "/Me", `{"userName": "bob@example.com"}`).want(200).is(nil, "phoneNumbers")
}
