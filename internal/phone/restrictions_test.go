package phone_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"github.com/holdline/holdline/internal/phone"
)

func TestCoverage(t *testing.T) {
	types := []string{"premium_rate", "shared_cost", "uan", "pager", "voicemail", "satellite", "international_service"}
	for name, tt := range map[string]struct {
		coverage phone.Restrictions
		number   string
		refused  bool
	}{
		"all by default":                      {phone.Restrictions{}, "+4915112345678", false},
		"an allowed code":                     {phone.Restrictions{Allowed: []string{"49", "43"}}, "+436641234567", false},
		"another than the allowed":            {phone.Restrictions{Allowed: []string{"49"}}, "+436641234567", true},
		"a denied code":                       {phone.Restrictions{Denied: []string{"43"}}, "+436641234567", true},
		"denied and allowed":                  {phone.Restrictions{Allowed: []string{"43"}, Denied: []string{"43"}}, "+436641234567", true},
		"denied within what is allowed":       {phone.Restrictions{Allowed: []string{"1"}, Denied: []string{"1876"}}, "+18765550123", true},
		"allowed beside what is denied":       {phone.Restrictions{Allowed: []string{"1"}, Denied: []string{"1876"}}, "+12125550123", false},
		"allowed within what is denied":       {phone.Restrictions{Allowed: []string{"44791"}, Denied: []string{"44"}}, "+447911123456", false},
		"a code is no beginning of another":   {phone.Restrictions{Denied: []string{"88"}}, "+4988123456", false},
		"premium rate":                        {phone.Restrictions{DeniedTypes: types}, "+499001234567", true},
		"shared cost":                         {phone.Restrictions{DeniedTypes: types}, "+491801234567", true},
		"universal access":                    {phone.Restrictions{DeniedTypes: types}, "+443069990000", true},
		"pager":                               {phone.Restrictions{DeniedTypes: types}, "+447640123456", true},
		"a mobile number passes the types":    {phone.Restrictions{DeniedTypes: types}, "+447911123456", false},
		"a US number, which could be a phone": {phone.Restrictions{DeniedTypes: append(types, "fixed_line")}, "+12125550123", false},
		"toll-free only when asked":           {phone.Restrictions{DeniedTypes: types}, "+18005550123", false},
		"toll-free":                           {phone.Restrictions{DeniedTypes: []string{"toll_free"}}, "+18005550123", true},
		"a number of no known plan":           {phone.Restrictions{DeniedTypes: []string{"unknown"}}, "+4990012345", true},
		"Inmarsat":                            {phone.Restrictions{DeniedTypes: types}, "+870773111632", true},
		"Iridium":                             {phone.Restrictions{DeniedTypes: types}, "+881612345678", true},
		"Thuraya":                             {phone.Restrictions{DeniedTypes: types}, "+88216123456", true},
		"an international network":            {phone.Restrictions{DeniedTypes: types}, "+883510001234567", true},
		"one of no known plan":                {phone.Restrictions{DeniedTypes: types}, "+8835100123456", true},
		"satellites where nothing is denied":  {phone.Restrictions{}, "+881612345678", false},
		"satellites where others are denied":  {phone.Restrictions{DeniedTypes: []string{"international_service"}}, "+881612345678", false},
		"international freephone":             {phone.Restrictions{DeniedTypes: types}, "+80012345678", true},
		"international shared cost":           {phone.Restrictions{DeniedTypes: types}, "+80812345678", true},
		"a universal personal number":         {phone.Restrictions{DeniedTypes: types}, "+878101234567890", true},
		"international premium rate":          {phone.Restrictions{DeniedTypes: types}, "+979123456789", true},
		"a country whose code begins alike":   {phone.Restrictions{DeniedTypes: types}, "+8801712345678", false},
		"a number that continues alike":       {phone.Restrictions{DeniedTypes: types}, "+447881234567", false},
		"a number of no country":              {phone.Restrictions{Allowed: []string{"49"}, DeniedTypes: types}, "01511234567", false},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.coverage.Check(phone.FromStore(tt.number))
			if got := errors.Is(err, phone.ErrNumberNotServed); got != tt.refused || err != nil && !got {
				t.Errorf("got %v, want refused %t", err, tt.refused)
			}
		})
	}
}

func TestCoverageNamesEveryFault(t *testing.T) {
	err := phone.Restrictions{
		Allowed: []string{"+49", "1"}, Denied: []string{"044", ""}, DeniedTypes: []string{"pager", "lottery"},
	}.Validate()
	if err == nil {
		t.Fatal("no fault was found")
	}
	contradicting := phone.Restrictions{Allowed: []string{"49", "88216"}, DeniedTypes: []string{"satellite"}}.Validate()
	if contradicting == nil || !strings.Contains(contradicting.Error(), `mobile.allowed_calling_codes: "88216"`) || !strings.Contains(contradicting.Error(), "mobile.denied_types") {
		t.Errorf("got %v, want both settings that contradict one another", contradicting)
	}
	if err := (phone.Restrictions{Allowed: []string{"88216"}, DeniedTypes: []string{"pager"}}).Validate(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		`mobile.allowed_calling_codes: must be digits, as in 49 or 1876: no number begins with "+49"`, `"044", no number begins with ""`, `mobile.denied_types: "lottery"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 3 {
		t.Errorf("%d lines, want 3: %v", n, err)
	}
}

// A type that is denied refuses the numbers of that type and no others, whatever
// the country: a name that means networks says nothing about types.
func TestADeniedTypeRefusesItsOwnNumbersAlone(t *testing.T) {
	kinds := map[string]phonenumbers.PhoneNumberType{
		"premium_rate": phonenumbers.PREMIUM_RATE, "shared_cost": phonenumbers.SHARED_COST, "toll_free": phonenumbers.TOLL_FREE,
		"uan": phonenumbers.UAN, "pager": phonenumbers.PAGER, "voicemail": phonenumbers.VOICEMAIL, "voip": phonenumbers.VOIP,
		"personal_number": phonenumbers.PERSONAL_NUMBER, "fixed_line": phonenumbers.FIXED_LINE, "mobile": phonenumbers.MOBILE,
	}
	names := append(slices.Sorted(maps.Keys(kinds)), "unknown", "satellite", "international_service")
	names = slices.DeleteFunc(names, func(name string) bool { return name == "mobile" })
	tried := 0
	for region := range phonenumbers.GetSupportedRegions() {
		for kind, of := range kinds {
			example := phonenumbers.GetExampleNumberForType(region, of)
			if example == nil || phonenumbers.GetNumberType(example) != of {
				continue
			}
			number := phone.FromStore(phonenumbers.Format(example, phonenumbers.E164))
			for _, denied := range names {
				tried++
				refused := phone.Restrictions{DeniedTypes: []string{denied}}.Check(number) != nil
				if refused != (denied == kind) {
					t.Errorf("%s: a %s number with %s denied: refused %t", region, kind, denied, refused)
				}
			}
		}
	}
	t.Logf("%d pairs tried", tried)
	if tried < 10_000 {
		t.Error("that is less than there was")
	}
}

func TestACallingCodeIsServedIfAnyOfItsNumbersIs(t *testing.T) {
	for name, tt := range map[string]struct {
		of   phone.Restrictions
		code string
		want bool
	}{
		"all":                             {phone.Restrictions{}, "49", true},
		"allowed":                         {phone.Restrictions{Allowed: []string{"49"}}, "49", true},
		"not allowed":                     {phone.Restrictions{Allowed: []string{"49"}}, "43", false},
		"a part of it":                    {phone.Restrictions{Allowed: []string{"1876"}}, "1", true},
		"a part of it that is denied too": {phone.Restrictions{Allowed: []string{"1876"}, Denied: []string{"1876"}}, "1", false},
		"denied":                          {phone.Restrictions{Denied: []string{"7"}}, "7", false},
		"denied but for a part":           {phone.Restrictions{Allowed: []string{"77"}, Denied: []string{"7"}}, "7", true},
		"a part is denied":                {phone.Restrictions{Denied: []string{"1876"}}, "1", true},
		"allowed with its neighbours":     {phone.Restrictions{Allowed: []string{"35"}}, "353", true},
		"a satellite":                     {phone.Restrictions{DeniedTypes: []string{"satellite"}}, "881", false},
	} {
		if got := tt.of.Serves(tt.code); got != tt.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestNarrowingKeepsWhatIsNarrowerAlready(t *testing.T) {
	for name, tt := range map[string]struct {
		allowed, to, want []string
	}{
		"all":                   {nil, []string{"49", "43"}, []string{"43", "49"}},
		"some":                  {[]string{"1", "43", "49"}, []string{"49", "43"}, []string{"43", "49"}},
		"a part of a code":      {[]string{"1204", "49"}, []string{"1", "49"}, []string{"1204", "49"}},
		"a code and its part":   {[]string{"1", "1876"}, []string{"1"}, []string{"1", "1876"}},
		"what several begin so": {[]string{"35"}, []string{"353"}, []string{"353"}},
	} {
		if got := (phone.Restrictions{Allowed: tt.allowed}).NarrowedTo(tt.to); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

func TestRestrictionsIncludeWhatTheyAdmit(t *testing.T) {
	of := func(allowed, denied string) phone.Restrictions {
		return phone.Restrictions{Allowed: strings.Fields(allowed), Denied: strings.Fields(denied)}
	}
	for name, tt := range map[string]struct {
		wide, narrow phone.Restrictions
		want         bool
	}{
		"the same":                  {of("49", "1876"), of("49", "1876"), true},
		"all":                       {of("", ""), of("49", ""), true},
		"some, of all":              {of("49", ""), of("", ""), false},
		"more":                      {of("43 49", ""), of("49", ""), true},
		"others":                    {of("43", ""), of("49", ""), false},
		"all but one":               {of("", "33"), of("", ""), false},
		"one less is denied":        {of("", ""), of("", "33"), true},
		"a part of it":              {of("1204", ""), of("1", ""), false},
		"the whole of it":           {of("1", ""), of("1204", ""), true},
		"denied within":             {of("1", "1876"), of("1", ""), false},
		"denied within, for both":   {of("1 49", "1876"), of("1", "1876"), true},
		"allowed within, of denied": {of("", "7"), of("77", "7"), false},
	} {
		if got := tt.wide.Includes(tt.narrow); got != tt.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestDenyingACallingCodeDeniesAllOfIt(t *testing.T) {
	c := phone.Restrictions{Allowed: []string{"49", "88216", "882"}, Denied: []string{"4915"}}
	c.Denied = c.DeniedWith([]string{"882"})
	if got, want := c.Denied, []string{"4915", "882", "88216"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if c.Serves("882") || !c.Serves("49") {
		t.Errorf("%+v serves 882 %t, 49 %t", c, c.Serves("882"), c.Serves("49"))
	}
}

// What the configuration and administrators may set is the same: beginnings of numbers that there
// are, and nobody's number, which would stand in the log and in the audit trail.
func TestAListHasBeginningsOfNumbersAndNoNumbers(t *testing.T) {
	for entry, want := range map[string]string{
		"1": "", "49": "", "1876": "", "35": "", "991": "", "8835100": "", "4915112": "",
		"999": `no number begins with "999"`, "049": `no number begins with "049"`, "4x": `no number begins with "4x"`,
		"49151123": "entry 2 has more than 7 digits", "4915112345678": "entry 2 has more than 7 digits",
		"015112345678": "entry 2 has more than 7 digits", "49-1511-2345678": "entry 2 has more than 7 digits", "1234567890123456": "entry 2 has more than 7 digits",
	} {
		_, parsed := phone.ParseBeginnings("43, +" + entry)
		allowed := phone.Restrictions{Allowed: []string{"43", entry}}.Validate()
		denied := phone.Restrictions{Denied: []string{"43", entry}}.Validate()
		for from, err := range map[string]error{"the console": parsed, "allowed": allowed, "denied": denied} {
			if (err == nil) != (want == "") || err != nil && !strings.Contains(strings.ReplaceAll(err.Error(), `"+`, `"`), want) {
				t.Errorf("%s, %s: got %v, want %q", entry, from, err, want)
			}
			if err != nil && len(entry) > 7 && strings.Contains(err.Error(), entry[:7]) {
				t.Errorf("%s, %s: %v repeats a number", entry, from, err)
			}
		}
	}
}

// No list can have a number, but for those of islands where they are as short as a beginning may be.
func TestEveryMobileNumberIsLongerThanABeginning(t *testing.T) {
	tried := 0
	for region := range phonenumbers.GetSupportedRegions() {
		example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if example == nil || region == "TK" {
			continue
		}
		tried++
		if digits := strings.TrimPrefix(phonenumbers.Format(example, phonenumbers.E164), "+"); phone.CheckBeginnings([]string{digits}) == nil {
			t.Errorf("%s: a list may have %s", region, digits)
		}
	}
	if tried < 200 {
		t.Errorf("%d countries tried", tried)
	}
}
