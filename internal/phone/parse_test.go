package phone_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/textclean/spelling"
)

// Numbers as people type and paste them, those that bug reports of telephone
// libraries are about among them: what they mean, or what is wrong with them.
func TestNumbersThatAreHardToRead(t *testing.T) {
	american := phone.Parser{Format: phone.FormatE164, Region: "US"}
	argentine := phone.Parser{Format: phone.FormatE164, Region: "AR"}
	mexican := phone.Parser{Format: phone.FormatE164, Region: "MX"}
	for _, tt := range []struct {
		plan  phone.Parser
		text  string
		want  string // blank: refused
		fault phone.Fault
	}{
		// What messengers, address books and word processors put in.
		{e164, "\u202a+49 151 12345678\u202c", "+4915112345678", ""},
		{e164, "\u202d+49 151 12345678\u202c", "+4915112345678", ""},
		{e164, "\u2068+49 151 12345678\u2069", "+4915112345678", ""},
		{e164, "+49 151 12345678\u200e", "+4915112345678", ""},
		{e164, "+49\u202f151\u202f12345678", "+4915112345678", ""},
		{e164, "+49\ufe0d151\ufe0d12345678", "+4915112345678", ""},
		{e164, "+49\u00a0151\u201312345678\r\n", "+4915112345678", ""},
		{e164, "\ufeff+49\u2060151\u00ad12345678", "+4915112345678", ""},
		{e164, "tel:\u202a+49-151-12345678", "+4915112345678", ""},
		// Digits and signs of elsewhere.
		{e164, "+४९ १५१ १२३४५६७८", "+4915112345678", ""},
		{e164, "＋４９（０）１５１－１２３４５６７８", "+4915112345678", ""},
		{e164, "+٤٩ ١٥١ ١٢٣٤٥٦٧٨", "+4915112345678", ""},
		{e164, "+4\ufe0f\u20e39\ufe0f\u20e3 151 12345678", "+4915112345678", ""},
		// Prefixes.
		{e164, "0049 1511 2345678", "+4915112345678", ""},
		{german, "0049 151 12345678", "+4915112345678", ""},
		{american, "011 49 151 12345678", "+4915112345678", ""},
		{american, "0049 151 12345678", "+4915112345678", ""},
		{e164, "+49 (0) 151 12345678", "+4915112345678", ""},
		{e164, "+49 (0)151/12345678", "+4915112345678", ""},
		{german, "0151/12345678", "+4915112345678", ""},
		{german, "(0151) 1234-5678", "+4915112345678", ""},
		{german, "4915112345678", "+4915112345678", ""},
		{e164, "(+49) 151 [123] 45678", "+4915112345678", ""},
		{e164, "+44 (0)7911 123456", "+447911123456", ""},
		{e164, "+7 8 912 345-67-89", "+79123456789", ""},
		{e164, "+0049 151 12345678", "", phone.NoCallingCode},
		{e164, "+999 151 12345678", "", phone.NoCallingCode},
		{e164, "0151 12345678", "", phone.NoCallingCode},
		{e164, "4915112345678", "", phone.NoCallingCode},
		// One telephone, written in two ways.
		{e164, "+52 1 55 1234 5678", "+525512345678", ""},
		{e164, "+52 55 1234 5678", "+525512345678", ""},
		{e164, "0052 1 55 1234 5678", "+525512345678", ""},
		{mexican, "044 55 1234 5678", "+525512345678", ""},
		{mexican, "01 55 1234 5678", "+525512345678", ""},
		{e164, "+54 11 1234 5678", "+5491112345678", ""},
		{e164, "+54 9 11 1234 5678", "+5491112345678", ""},
		{e164, "+54 11 15 1234 5678", "+5491112345678", ""},
		{argentine, "011 15 1234-5678", "+5491112345678", ""},
		{argentine, "11 1234 5678", "+5491112345678", ""},
		{argentine, "15 1234 5678", "", phone.LocalOnly},
		{e164, "+54 9 15 1234 5678", "", phone.LocalOnly},
		{e164, "+54 800 555 1234", "+548005551234", ""},
		{e164, "+39 347 1234567", "+393471234567", ""},
		{e164, "+39 0347 1234567", "+393471234567", ""},
		{e164, "+39 0331 123456", "+390331123456", ""}, // a fixed line
		{e164, "+225 01 23 45 67 89", "+2250123456789", ""},
		{e164, "+378 0549 886377", "+3780549886377", ""},
		// Extensions.
		{e164, "+49 151 12345678*12", "", phone.HasExtension},
		{e164, "+1 202 555 0143 #5", "", phone.HasExtension},
		{e164, "+1 202 555 0143,5", "", phone.HasExtension},
		{e164, "+1 202 555 0143;ext=5", "", phone.HasExtension},
		{e164, "tel:+1-202-555-0143;ext=5", "", phone.HasExtension},
		{e164, "tel:+44-114-272-6444,1234", "", phone.HasExtension},
		{e164, "+16502530000 x136", "", phone.HasExtension},
		{e164, "+1 650 253 0000 ext. 136", "", phone.HasExtension},
		{e164, "+5493516315733 ext.", "", phone.HasExtension},
		{e164, "+14084568908#", "", phone.HasExtension},
		{e164, "+49 30 123456 Durchwahl 9", "", phone.HasExtension},
		{e164, "+7 495 123 45 67 доб. 89", "", phone.HasExtension},
		{e164, "+49 30 123456 (9)", "", phone.HasExtension},
		{e164, "+1 202 555 0143 p5", "", phone.HasExtension},
		{e164, "+49 151 12345678 (mobil)", "", phone.NotANumber},
		{e164, "+49 151 12345678;", "", phone.NotANumber},
		{e164, "+49 151 12345678,", "", phone.NotANumber},
		{e164, "+1 202 555 0143;phone-context=example.org", "", phone.NotANumber},
		{e164, "+55 (0xx11) 91234-5678", "", phone.NotANumber}, // xx stands for a carrier
		// As spreadsheets show what they take for a quantity.
		{e164, "4.91511E+12", "", phone.NotANumber},
		{e164, "+4,915112345678e12", "", phone.HasExtension},
		{german, "4.915112345678E+12", "", phone.NotANumber},
		{e164, "+491631234567.0", "", phone.NotANumber},
		{german, "01631234567.00", "", phone.NotANumber},
		{e164, "+33.6.12.34.50.00", "+33612345000", ""},
		{german, "0163.1234560", "+491631234560", ""},
		// More than one.
		{e164, "+49 30 123456/9", "", phone.SeveralNumbers},
		{e164, "+49 151 1234567/9", "", phone.SeveralNumbers},
		{german, "030 123456/123457", "", phone.SeveralNumbers},
		{german, "0234/123456-10", "+4923412345610", ""},
		{e164, "+49 151 12345678, +49 151 12345679", "", phone.SeveralNumbers},
		{e164, "+49 151 12345678 or +49 151 12345679", "", phone.SeveralNumbers},
		{e164, "+49 151 12345678\n+49 151 12345679", "", phone.SeveralNumbers},
		{e164, "+81 90-1234-5678~9", "", phone.SeveralNumbers},
		{e164, "+49+15112345678", "", phone.SeveralNumbers},
		// No whole numbers.
		{e164, "+1 555 0143", "", phone.LocalOnly},
		{american, "555-0143", "", phone.LocalOnly},
		{american, "(555) 555-0143", "+15555550143", ""}, // possible, though in no plan
		{american, "1 202 555 0143", "+12025550143", ""},
		{german, "123456", "", phone.LocalOnly},
		{e164, "+49 151 1234", "", phone.TooShort},
		{e164, "+1 202 555 01", "", phone.TooShort},
		{e164, "+44", "", phone.TooShort},
		{e164, "+9", "", phone.NoCallingCode},
		{e164, "+49 151 12345678901", "", phone.TooLong},
		{e164, "+1 202 555 0143 5", "", phone.TooLong},
		{e164, "+23423407034774592", "", phone.TooLong},
		{e164, "+" + strings.Repeat("4", 500), "", phone.TooLong},
		// Calls for help and to services.
		{e164, "+49110", "", phone.ServiceNumber},
		{e164, "+1 911", "", phone.ServiceNumber},
		{e164, "+44 999", "", phone.ServiceNumber},
		{e164, "+49 116117", "", phone.ServiceNumber},
		{e164, "112", "", phone.ServiceNumber},
		{german, "110", "", phone.ServiceNumber},
		{e164, "*100#", "", phone.ServiceNumber},
		// No numbers.
		{e164, "", "", phone.NotANumber},
		{e164, "\u200b \u2800", "", phone.NotANumber},
		{e164, "+", "", phone.NotANumber},
		{e164, "Tel.: +49 151 12345678", "", phone.NotANumber},
		{e164, "+1 800 FLOWERS", "", phone.NotANumber},
		{american, "a53055a51212a", "", phone.NotANumber},
		{e164, "+49 151 1234567²", "", phone.NotANumber},
		{e164, "+49 151 1234567…", "", phone.NotANumber},
		{e164, "+49 151 1234567O", "", phone.NotANumber},
		{e164, "*31#+4915112345678", "", phone.NotANumber},
		{e164, "tel:415-555-2671;phone-context=+1", "", phone.NoCallingCode},
		{e164, "+49 151 1234567\xff", "", phone.NotANumber},
	} {
		got, err := phone.Parse(tt.plan, tt.text)
		refused := (*phone.Error)(nil)
		switch {
		case tt.want != "" && (err != nil || got.Unmasked() != tt.want):
			t.Errorf("%q: got %q, %v; want %q", tt.text, got.Unmasked(), err, tt.want)
		case tt.want == "" && (!errors.As(err, &refused) || !errors.Is(err, phone.ErrBadNumber) || refused.Fault != tt.fault || !got.IsZero()):
			t.Errorf("%q: got %q, %v; want it refused as %s", tt.text, got.Unmasked(), err, tt.fault)
		}
	}
}

// examples are a mobile number of each region, in groups.
func examples() map[string][]string {
	all := map[string][]string{}
	for region := range phonenumbers.GetSupportedRegions() {
		if example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE); example != nil {
			written := phonenumbers.Format(example, phonenumbers.INTERNATIONAL)
			all[region] = strings.FieldsFunc(written, func(r rune) bool { return r == ' ' || r == '-' || r == '.' })
		}
	}
	return all
}

// A number is the same in all scripts, with all separators and in all wrappers.
// HOLDLINE_SPELLINGS=all tries each script with each separator, and each wrapper,
// for every region: a million spellings, some minutes.
func TestEverySpellingIsTheSameNumber(t *testing.T) {
	zeros, between, around := spelling.Scripts(), spelling.Separators(), spelling.Wrappers()
	tried, misread := 0, 0
	try := func(region string, groups []string, zero rune, separator string, wrapper [2]string) {
		tried++
		want := strings.Join(groups, "")
		text := spelling.Spell(groups, zero, separator, wrapper)
		if got, err := phone.Parse(e164, text); err != nil || got.Unmasked() != want {
			if misread++; misread < 20 {
				t.Errorf("%s: %q: got %q, %v; want %q", region, text, got.Unmasked(), err, want)
			}
		}
	}
	everything := os.Getenv("HOLDLINE_SPELLINGS") == "all"
	all, offset := examples(), 0
	for region, groups := range all {
		offset++
		for i := range max(len(zeros), len(between)) {
			try(region, groups, zeros[i%len(zeros)], between[(i+offset)%len(between)], around[(i*offset)%len(around)])
		}
		for i, wrapper := range around {
			if everything || region == "DE" {
				try(region, groups, zeros[i%len(zeros)], between[i%len(between)], wrapper)
			}
		}
		for i, zero := range zeros {
			for j, separator := range between {
				if everything || region == "DE" {
					try(region, groups, zero, separator, around[(i+j)%len(around)])
				}
			}
		}
	}
	t.Logf("%d regions, %d scripts, %d separators, %d wrappers: %d spellings tried, %d misread",
		len(all), len(zeros), len(between), len(around), tried, misread)
	if len(all) < 200 || len(zeros) < 60 || tried < 20_000 {
		t.Error("that is less than there was")
	}
}

// isWithin reports whether a text goes on as a number does.
func isWithin(rest string) bool {
	rest = strings.TrimLeftFunc(rest, func(r rune) bool {
		return unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) && !unicode.IsSpace(r) || r == '\u20e3'
	})
	first, _ := firstRune(rest)
	return rest == "" || unicode.In(first, unicode.Nd, unicode.Z, unicode.Pd, unicode.Dash, unicode.Hyphen) || unicode.IsSpace(first) ||
		strings.ContainsRune(".)]．）］﹒﹚\u02d7\u2043\u30fc\uff70\u2500\u2800｡", first)
}

func firstRune(text string) (rune, bool) {
	for _, r := range text {
		return r, true
	}
	return 0, false
}

// neverAnother holds that what comes after a number does not make it another one.
func neverAnother(t *testing.T, number, rest string) {
	t.Helper()
	if isWithin(rest) {
		return
	}
	got, err := phone.Parse(e164, number+rest)
	if err == nil && got.Unmasked() != number {
		t.Errorf("%q reads as %q", number+rest, got.Unmasked())
	}
}

func TestWhatFollowsANumberNeverMakesItAnother(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	var signs []rune
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if unicode.In(r, unicode.P, unicode.S, unicode.L, unicode.M, unicode.No, unicode.Nl) && (r < 0x3000 || r%97 == 0) {
			signs = append(signs, r)
		}
	}
	tried := 0
	for _, groups := range examples() {
		number := strings.Join(groups, "")
		for range 60 {
			rest := string(signs[random.IntN(len(signs))])
			if random.IntN(3) > 0 {
				rest = string("/#*,;x(~&"[random.IntN(9)])
			}
			rest += []string{"", " ", "-"}[random.IntN(3)] + fmt.Sprint(random.IntN(100_000))
			neverAnother(t, number, rest)
			tried++
		}
		for _, fraction := range []string{".0", ".00", ".000"} {
			if got, err := phone.Parse(e164, number+fraction); err == nil && got.Unmasked() != number {
				t.Errorf("%q reads as %q", number+fraction, got.Unmasked())
			}
		}
	}
	t.Logf("%d endings tried", tried)
}

// What cannot have texts is refused, by its form or by the types that are denied
// unless somebody says otherwise.
func TestNothingIsTextedThatCannotHaveTexts(t *testing.T) {
	coverage := phone.Restrictions{DeniedTypes: config.Default().Mobile.DeniedTypes}
	refuses := func(plan phone.Parser, text string) bool {
		m, err := phone.Parse(plan, text)
		return err != nil || coverage.Check(m) != nil
	}
	collection, err := phonenumbers.ShortNumberMetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, country := range collection.GetMetadata() {
		region := country.GetId()
		code := phonenumbers.GetCountryCodeForRegion(region)
		for _, kind := range []*phonenumbers.PhoneNumberDesc{
			country.GetEmergency(), country.GetShortCode(), country.GetTollFree(), country.GetPremiumRate(), country.GetCarrierSpecific(), country.GetSmsServices(),
		} {
			short := kind.GetExampleNumber()
			if short == "" {
				continue
			}
			whole, err := phonenumbers.Parse(fmt.Sprintf("+%d%s", code, short), "")
			if err == nil && phonenumbers.IsValidNumber(whole) {
				continue // the same digits are somebody's number
			}
			tried++
			if text := fmt.Sprintf("+%d%s", code, short); !refuses(e164, text) {
				t.Errorf("%s: %s is texted", region, text)
			}
			home := phone.Parser{Format: phone.FormatE164, Region: region}
			if national, err := phonenumbers.Parse(short, region); err == nil && phonenumbers.IsValidNumber(national) {
				continue
			}
			if !refuses(home, short) {
				t.Errorf("%s: %s is texted at home", region, short)
			}
		}
	}
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{
			phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.UAN, phonenumbers.PAGER, phonenumbers.VOICEMAIL,
		} {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil || phonenumbers.GetNumberType(example) != kind {
				continue
			}
			tried++
			if text := phonenumbers.Format(example, phonenumbers.INTERNATIONAL); !refuses(e164, text) {
				t.Errorf("%s: %s is texted", region, text)
			}
		}
	}
	t.Logf("%d numbers tried", tried)
	if tried < 800 {
		t.Error("that is less than there was")
	}
}

// What the former release wrote is the same number today, whichever of the two is
// looked at first, and is counted with it.
func TestNumbersStoredByTheFormerReleaseStayTheSame(t *testing.T) {
	tried := 0
	check := func(stored, typed string) {
		t.Helper()
		tried++
		wanted, err := phone.Parse(e164, typed)
		if err != nil {
			t.Errorf("%q is refused: %v", typed, err)
			return
		}
		former := phone.FromStore(stored)
		if !phone.ParseStored(e164, stored).Same(wanted) || !wanted.IsStored(e164, stored) || !former.Same(wanted) ||
			!wanted.Same(former) || !former.IsStored(e164, wanted.Unmasked()) || former.Key() != wanted.Key() {
			t.Errorf("%q is not the stored %q", typed, stored)
		}
	}
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE, phonenumbers.TOLL_FREE, phonenumbers.VOIP} {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil || !phonenumbers.IsValidNumber(example) {
				continue
			}
			check(phonenumbers.Format(example, phonenumbers.E164), phonenumbers.Format(example, phonenumbers.INTERNATIONAL))
		}
	}
	for stored, typed := range map[string]string{
		"+541112345678": "+54 9 11 1234 5678", "+5491112345678": "+54 11 1234 5678", "+5215512345678": "+52 55 1234 5678",
		"+525512345678": "+52 1 55 1234 5678",
	} {
		check(stored, typed)
	}
	t.Logf("%d numbers tried", tried)
}

// One handset is counted once, however its number is written.
func TestOneHandsetIsCountedOnce(t *testing.T) {
	for _, handset := range [][]string{
		{"+541112345678", "+5491112345678"},
		{"+5215512345678", "+525512345678"},
		{"+390331123456", "+39331123456"},
		{"+49 151 12345678", "+4915112345678"},
	} {
		for _, spelling := range handset[1:] {
			if got, want := phone.FromStore(spelling).Key(), phone.FromStore(handset[0]).Key(); got != want {
				t.Errorf("%s is counted as %s, %s as %s", spelling, got, handset[0], want)
			}
		}
	}
	if phone.FromStore("+390331123456").Same(phone.FromStore("+39331123456")) {
		t.Error("a fixed line is taken for a mobile number")
	}
}

func FuzzWhatFollowsANumber(f *testing.F) {
	all := examples()
	regions := make([]string, 0, len(all))
	for region := range all {
		regions = append(regions, region)
	}
	slices.Sort(regions)
	for i, rest := range []string{"/9", "*12", " #5", ",5", ";ext=5", "x12", " or 1", "\u202c/12345678", "(2)"} {
		f.Add(uint8(i), rest)
	}
	f.Fuzz(func(t *testing.T, region uint8, rest string) {
		neverAnother(t, strings.Join(all[regions[int(region)%len(regions)]], ""), rest)
	})
}

// A number that is read in any country reads as itself anywhere, and is no more
// than 15 digits.
func FuzzNationalNumbers(f *testing.F) {
	for _, seed := range []string{"0049 151 12345678", "011 15 1234-5678", "044 55 1234 5678", "\u202a0151/12345678\u202c", "110", "8 (912) 345-67-89"} {
		f.Add(seed, "DE")
		f.Add(seed, "AR")
		f.Add(seed, "US")
	}
	f.Fuzz(func(t *testing.T, text, region string) {
		m, err := phone.Parse(phone.Parser{Format: phone.FormatE164, Region: region}, text)
		if err != nil {
			return
		}
		number := m.Unmasked()
		if number[0] != '+' || len(number) > 16 || strings.Trim(number[1:], "0123456789") != "" {
			t.Errorf("%q became %q", text, number)
		}
		if again, err := phone.Parse(e164, number); err != nil || again != m {
			t.Errorf("%q became %q, and then %q, %v", text, number, again.Unmasked(), err)
		}
		if !phone.ParseStored(e164, number).Same(m) || !m.IsStored(e164, text) && region == "" {
			t.Errorf("%q is not the number %q", text, number)
		}
	})
}
