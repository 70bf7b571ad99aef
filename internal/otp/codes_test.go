package otp_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/textclean/spelling"
)

var (
	firstSecret  = strings.Repeat("first-secret-", 4)
	secondSecret = strings.Repeat("second-secret-", 4)
)

func newCodes(t *testing.T, length int, alphabet otp.Alphabet, secrets ...string) *otp.Codes {
	t.Helper()
	codes, err := otp.New(secrets, length, alphabet)
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

func code(t *testing.T, codes *otp.Codes, ref otp.CodeRef) string {
	t.Helper()
	text, err := codes.Code(ref)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestACodeIsTheSameWheneverItIsDerived(t *testing.T) {
	codes := newCodes(t, 6, otp.Numeric, firstSecret)
	ref := otp.CodeRef{ClaimID: "a", Key: codes.Key(), Number: 1}
	again := newCodes(t, 6, otp.Numeric, firstSecret)
	if got, want := code(t, again, ref), code(t, codes, ref); got != want || len(got) != 6 {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, other := range map[string]otp.CodeRef{
		"another claim": {ClaimID: "b", Key: codes.Key(), Number: 1},
		"a resend":      {ClaimID: "a", Key: codes.Key(), Number: 2},
	} {
		if code(t, codes, other) == code(t, codes, ref) {
			t.Errorf("%s has the same code", name)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	before := newCodes(t, 6, otp.Numeric, firstSecret)
	ref := otp.CodeRef{ClaimID: "a", Key: before.Key(), Number: 1}
	after := newCodes(t, 8, otp.Alphanumeric, secondSecret, firstSecret)
	if code(t, after, ref) != code(t, before, ref) {
		t.Error("a new key in front, or another form, breaks codes that are under way")
	}
	if after.Key() == before.Key() {
		t.Error("the new key does not make new codes")
	}
	gone := newCodes(t, 6, otp.Numeric, secondSecret)
	if _, err := gone.Code(ref); !errors.Is(err, otp.ErrUnknownKey) {
		t.Errorf("got %v, want %v", err, otp.ErrUnknownKey)
	}
}

func TestMatchIsKindToThumbsOnly(t *testing.T) {
	codes := newCodes(t, 6, otp.Alphanumeric, firstSecret)
	ref := otp.CodeRef{ClaimID: "a", Key: codes.Key(), Number: 1}
	right := code(t, codes, ref)
	for typed, want := range map[string]bool{
		right: true, strings.ToLower(right): true, right[:3] + " " + right[3:]: true, " " + right[:3] + "-" + right[3:]: true,
		"": false, right[:5]: false, right + "2": false, right[1:] + right[:1]: right[1:]+right[:1] == right,
	} {
		if got, err := codes.Match(ref, typed); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", typed, got, err, want)
		}
	}
}

// A code is the same in all scripts, with all separators and in all wrappers.
func TestEverySpellingIsTheSameCode(t *testing.T) {
	codes := newCodes(t, 6, otp.Numeric, firstSecret)
	ref := otp.CodeRef{ClaimID: "a", Key: codes.Key(), Number: 1}
	right := code(t, codes, ref)
	zeros, between, around := spelling.Scripts(), slices.DeleteFunc(spelling.Separators(), func(s string) bool { return strings.ContainsAny(s, ".)") }), spelling.Wrappers()
	tried := 0
	for i, zero := range zeros {
		for j, separator := range between {
			for k := range 8 {
				wrapper := around[(i*31+j*7+k*97)%len(around)]
				if wrapper[0] == "tel:" {
					continue
				}
				typed := spelling.Spell([]string{right[:3], right[3:]}, zero, separator, wrapper)
				tried++
				if got, err := codes.Match(ref, typed); err != nil || !got || !codes.MayMatch(ref, typed) {
					t.Errorf("%q is not the code: %v", strings.ReplaceAll(typed, right, "CODE"), err)
				}
			}
		}
	}
	t.Logf("%d spellings tried", tried)
}

func TestWhatLooksLikeNoCode(t *testing.T) {
	numeric, letters := newCodes(t, 6, otp.Numeric, firstSecret), newCodes(t, 8, otp.Alphanumeric, firstSecret)
	for _, tt := range []struct {
		codes *otp.Codes
		typed string
		want  bool
	}{
		{numeric, "123456", true},
		{numeric, "", false},
		{numeric, " \u200b", false},
		{numeric, "12345", false},
		{numeric, "1234567", false},
		{numeric, "12345a", false},
		{numeric, "123.456", false},
		{numeric, "-123456", true},
		{numeric, "+123456", false},
		{numeric, "12345²", false},
		{numeric, "1e5000", false},
		{numeric, strings.Repeat("\u200b", 600) + "123456", false},
		{numeric, "12345\xff", false},
		{letters, "ABCD2345", true},
		{letters, "abcd-2345", true},
		{letters, "ａｂｃｄ 2345", true},
		{letters, "ABCD234", false},
		{letters, "ABCD2340", false},
		{letters, "ABCD234O", false},
		{letters, "ABCD2341", false},
		{letters, "ABCD234I", false},
		{letters, "ABCD234ſ", false},
	} {
		if got := tt.codes.MayMatch(otp.CodeRef{ClaimID: "a", Key: tt.codes.Key(), Number: 1}, tt.typed); got != tt.want {
			t.Errorf("%q: got %v", tt.typed, got)
		}
	}
	none := otp.CodeRef{ClaimID: "a"} // a claim that was not texted yet
	if !letters.MayMatch(none, "ABCD2345") || letters.MayMatch(none, "123456") {
		t.Error("without a code, what is typed is not held against the form of new ones")
	}
}

// What does not look like a code never is one.
func FuzzMatch(f *testing.F) {
	codes, err := otp.New([]string{firstSecret}, 4, otp.Alphanumeric)
	if err != nil {
		f.Fatal(err)
	}
	ref := otp.CodeRef{ClaimID: "a", Key: codes.Key(), Number: 1}
	right, err := codes.Code(ref)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(right)
	f.Add("\u202a" + strings.ToLower(right[:2]) + "\u2013" + right[2:] + "\u202c")
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := codes.Match(ref, typed)
		if err != nil || got && !codes.MayMatch(ref, typed) {
			t.Errorf("%q: %v, %v", typed, got, err)
		}
		if got && strings.ContainsAny(typed, ".,;:#*+/") {
			t.Errorf("%q is the code", typed)
		}
	})
}

// The bound is five standard deviations: a fair spread fails once in millions.
func TestCodesAreUnbiased(t *testing.T) {
	codes := newCodes(t, 10, otp.Numeric, firstSecret)
	const claims = 20_000
	var seen [10]int
	for i := range claims {
		for _, digit := range code(t, codes, otp.CodeRef{ClaimID: fmt.Sprint(i), Key: codes.Key(), Number: 1}) {
			seen[digit-'0']++
		}
	}
	for digit, n := range seen {
		if mean := claims; n < mean-671 || n > mean+671 {
			t.Errorf("digit %d came %d times of %d", digit, n, mean)
		}
	}
}

func TestAllFaultsOfCodesAreReported(t *testing.T) {
	_, err := otp.New([]string{"short"}, 3, "runes")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"otp.length", "otp.alphabet", "secrets.otp[0]"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "short\n") {
		t.Error("the secret shows")
	}
}

func TestFewCodesAreGoodForMinutesOnly(t *testing.T) {
	const few = 10 * time.Minute
	for _, tt := range []struct {
		length   int
		alphabet otp.Alphabet
		validity time.Duration
		refused  bool
	}{
		{4, otp.Numeric, few, false},
		{4, otp.Numeric, few + time.Second, true},
		{4, otp.Numeric, 24 * time.Hour, true},
		{5, otp.Numeric, few + time.Second, true},
		{6, otp.Numeric, 24 * time.Hour, false}, // a million exactly
		{4, otp.Alphanumeric, 24 * time.Hour, false},
	} {
		err := otp.CheckCodes(tt.length, tt.alphabet, tt.validity)
		if (err != nil) != tt.refused {
			t.Errorf("%d %s for %s: got %v", tt.length, tt.alphabet, tt.validity, err)
		}
		for _, key := range []string{"otp.length", string(settings.Validity)} {
			if err != nil && !strings.Contains(err.Error(), key) {
				t.Errorf("%v does not name %s", err, key)
			}
		}
	}
}
