package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/config"
)

func TestATokenExpiresAtTheEndOfADayOrAtATime(t *testing.T) {
	const digest = "abababababababababababababababababababababababababababababababab"
	utc := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for text, want := range map[string]time.Time{
		"": {}, "2027-06-30": utc("2027-07-01T00:00:00Z"), "2028-02-28": utc("2028-02-29T00:00:00Z"),
		"2027-06-30T18:00:00Z": utc("2027-06-30T18:00:00Z"), "2027-06-30T18:00:00+02:00": utc("2027-06-30T16:00:00Z"),
	} {
		if got, err := config.ParseExpires(text); err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"2027-6-30", "2027-02-30", "30.06.2027", "tomorrow", "2027-06-30 18:00", "2027-06-30T18:00", "1y", "0001-01-01T00:00:00Z"} {
		if got, err := config.ParseExpires(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
	file := good + "tokens:\n  - {name: a, sha256: " + digest + ", scopes: [\"scim:read\"], expires: "
	for written, want := range map[string]string{`"2027-06-30"`: "2027-06-30", "2027-06-30": "2027-06-30", "2027-06-30T18:00:00Z": "2027-06-30T18:00:00Z"} {
		c, err := load(t, "holdline.yml", file+written+"}\n", nil, nil)
		if err != nil || c.Tokens[0].Expires != want {
			t.Errorf("%s: got %+v, %v", written, c.Tokens, err)
		}
	}
	c, err := load(t, "holdline.toml", goodTOML+"[[tokens]]\nname = \"a\"\nsha256 = \""+digest+"\"\nscopes = [\"scim:read\"]\nexpires = 2027-06-30\n", nil, nil)
	if err != nil || c.Tokens[0].Expires != "2027-06-30" {
		t.Errorf("TOML: got %+v, %v", c.Tokens, err)
	}
	_, err = load(t, "holdline.yml", file+"soon}\n", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "tokens[0].expires: must be a day such as 2027-06-30") {
		t.Errorf("got %v", err)
	}
}
