package phone

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/holdline/holdline/internal/textclean"
)

const (
	rawShortest = 3
	rawLongest  = 32
	longestText = 64 // of what can be seen
	// longestE164 is how many digits a number has at most (ITU-T E.164, section 6).
	longestE164 = 15
)

// Parse reads what a person or a program typed, also as a global tel: URI
// (RFC 3966, which RFC 7643 section 4.1.2 asks SCIM clients to send). What cannot
// be seen in it does not count. The error is a [Error], and so
// [ErrBadNumber]; it never repeats the input.
func Parse(plan Parser, text string) (Number, error) {
	if plan.Cache == nil {
		return read(plan, text)
	}
	if n, ok := plan.Cache.find(text); ok {
		return n, nil
	}
	n, err := read(plan, text)
	if err == nil {
		plan.Cache.keep(text, n)
	}
	return n, err
}

func read(plan Parser, text string) (Number, error) {
	if len(text) > textclean.Longest {
		return Number{}, &Error{Fault: TooLong}
	}
	text = textclean.Clean(text)
	if plan.Format == FormatRaw {
		return parseRaw(text)
	}
	if len(text) > longestText {
		return Number{}, &Error{Fault: TooLong}
	}
	text, fault := cutScheme(text)
	if fault != "" {
		return Number{}, &Error{Fault: fault}
	}
	if isDecimal.MatchString(text) {
		return Number{}, &Error{Fault: NotANumber}
	}
	digits, isInternational, fault := scan(text)
	if fault != "" {
		return Number{}, &Error{Fault: fault}
	}
	var number string
	var err error
	if isInternational {
		number, err = international(digits)
	} else {
		number, err = national(digits, strings.ToUpper(plan.Region))
	}
	if err != nil {
		return Number{}, err
	}
	if number == text {
		return Number{number}, nil
	}
	// A number must read back as itself, or it would not equal itself once stored.
	if again, err := international(number[1:]); err != nil || again != number {
		return Number{}, &Error{Fault: NotANumber}
	}
	return Number{number}, nil
}

func parseRaw(text string) (Number, error) {
	switch {
	case len(text) < rawShortest:
		return Number{}, &Error{Fault: TooShort}
	case len(text) > rawLongest:
		return Number{}, &Error{Fault: TooLong}
	}
	for i, r := range text {
		if !strings.ContainsRune("0123456789*#()-./ ", r) && (r != '+' || i > 0) {
			return Number{}, &Error{Fault: NotANumber}
		}
	}
	if !strings.ContainsAny(text, "0123456789") {
		return Number{}, &Error{Fault: NotANumber}
	}
	return Number{text}, nil
}

// cutScheme takes a tel: URI apart (RFC 3966, section 3). Its parameters name an
// extension, a subaddress, or a context that makes a local number complete in a
// way that no rule describes; none of them can be texted to.
func cutScheme(text string) (string, Fault) {
	const scheme = "tel:"
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return text, ""
	}
	number, parameters, found := strings.Cut(text[len(scheme):], ";")
	if !found {
		return number, ""
	}
	fault := NotANumber
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, _, _ := strings.Cut(strings.ToLower(parameter), "=")
		switch name {
		case "ext", "isub":
			return "", HasExtension
		case "phone-context":
			fault = NoCallingCode
		}
	}
	return "", fault
}

// Where in a number the signs stand that set off its first groups: an area code
// has up to five digits, after a calling code of up to three.
const (
	lastSign      = 8 // digits before an opening bracket or a slash, at most
	shortestAfter = 4 // digits after them, at least
	// shortestNumber is what a whole number has, more or less; less is a short one.
	shortestNumber = 7
)

// Spreadsheets and programs that take a telephone number for a quantity write it
// with a fraction, whose zero would count as a digit, or with an exponent.
var (
	isDecimal  = regexp.MustCompile(`^\+?[0-9]{7,}\.0+$`)
	isExponent = regexp.MustCompile(`^[eE][+-]?[0-9]{1,3}$`)
)

// scan takes a number apart: its digits, and whether a plus stands before them. It
// refuses what comes with it, so that nothing is dropped in silence and nothing
// that belongs to something else is taken for a part of the number.
func scan(text string) (digits string, plus bool, fault Fault) {
	var out strings.Builder
	sign, before := "", 0 // the last of those signs, and the digits before it
	for i, r := range text {
		switch {
		case r >= '0' && r <= '9':
			out.WriteRune(r)
		case r == '+' && out.Len() == 0 && !plus:
			plus = true
		case strings.ContainsRune(" -.)]", r):
		case strings.ContainsRune("([", r) && out.Len() == 0:
		case strings.ContainsRune("([/", r) && out.Len() > 0 && out.Len() <= lastSign && !isWhole(out.String(), plus):
			sign, before = text[i:], out.Len()
		default:
			return "", false, leftOver(out.Len(), text[i:])
		}
	}
	switch {
	case out.Len() == 0:
		return "", false, NotANumber
	case sign != "" && out.Len()-before < shortestAfter:
		return "", false, leftOver(before, sign)
	}
	return out.String(), plus, ""
}

// isWhole reports whether digits are a number in force already.
func isWhole(digits string, plus bool) bool {
	if !plus {
		return false
	}
	parsed, err := phonenumbers.Parse("+"+digits, "")
	return err == nil && phonenumbers.IsValidNumber(parsed)
}

// leftOver names what is wrong with a number that goes on, after some digits, with
// what belongs to no number.
func leftOver(before int, rest string) Fault {
	first, more := rest[0], 0
	for _, r := range rest {
		if r >= '0' && r <= '9' {
			more++
		}
	}
	ext := before >= shortestNumber && (strings.HasPrefix(strings.ToLower(rest), "ext") || first == 'x' || first == 'X')
	letters := strings.TrimRight(rest, "0123456789 ")
	switch {
	case before == 0 && (first == '*' || first == '#') && !strings.Contains(rest, "+"):
		return ServiceNumber // a code for the network
	case before == 0, isExponent.MatchString(rest), more == 0 && strings.ContainsRune(",;([", rune(first)):
		return NotANumber
	case strings.Contains(rest, "+"), strings.ContainsRune("/&|~\\", rune(first)) && more > 0, before >= shortestNumber && more >= shortestNumber:
		return SeveralNumbers
	case strings.ContainsRune("#*,;([", rune(first)), ext:
		return HasExtension
	case before >= shortestNumber && more > 0 && !strings.ContainsFunc(letters, unicode.IsDigit):
		return HasExtension // in any language's word for it
	default:
		return NotANumber
	}
}

// international reads a number that begins with a calling code, and writes it in
// the form of E.164. Where the metadata knows no range, what is possible by its
// length is a number.
func international(digits string) (string, error) {
	parsed, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return "", unparsed(err, digits)
	}
	return written(today(parsed))
}

// national reads a number as it is dialled in a country; blank for none, where
// only the usual international prefix (ITU-T E.164, annex A) can be read.
func national(digits, region string) (string, error) {
	abroad, hasPrefix := strings.CutPrefix(digits, "00")
	switch {
	case region == "" && hasPrefix:
		return international(abroad)
	case region == "" && isEmergency(digits):
		return "", &Error{Fault: ServiceNumber}
	case region == "":
		return "", &Error{Fault: NoCallingCode}
	}
	number, err := dialledIn(region, digits)
	if err != nil && hasPrefix {
		if number, err := international(abroad); err == nil {
			return number, nil // nothing begins so there
		}
	}
	return number, err
}

func dialledIn(region, digits string) (string, error) {
	parsed, err := phonenumbers.Parse(digits, region)
	switch {
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return "", &Error{Fault: TooLong}
	case err != nil && len(digits) < shortestNumber:
		return "", &Error{Fault: TooShort}
	case err != nil: // the region is none, or what follows its international prefix
		return "", &Error{Fault: NoCallingCode}
	}
	code, trunk := phonenumbers.GetCountryCodeForRegion(region), phonenumbers.GetNddPrefixForRegion(region, true)
	bare := code == int(parsed.GetCountryCode()) && trunk != "" && !strings.HasPrefix(digits, trunk)
	if bare && strings.HasPrefix(digits, strconv.Itoa(code)) && isWhole(digits, true) {
		return international(digits) // only the plus is missing
	}
	number, err := written(today(parsed))
	if refused := (*Error)(nil); bare && errors.As(err, &refused) && refused.Fault == TooShort {
		return "", &Error{Fault: LocalOnly}
	}
	return number, err
}

// unparsed tells why the library read nothing at all of an international number.
func unparsed(err error, digits string) error {
	code := Number{"+" + digits}.CallingCode()
	switch {
	case code == "":
		return &Error{Fault: NoCallingCode}
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return &Error{Fault: TooLong, CallingCode: code}
	default:
		return &Error{Fault: TooShort, CallingCode: code}
	}
}

// written writes a number that can be one.
func written(parsed *phonenumbers.PhoneNumber) (string, error) {
	number := phonenumbers.Format(parsed, phonenumbers.E164)
	code, nsn := int(parsed.GetCountryCode()), phonenumbers.GetNationalSignificantNumber(parsed)
	refuse := func(fault Fault) (string, error) {
		return "", &Error{Fault: fault, CallingCode: Number{number}.CallingCode()}
	}
	length := phonenumbers.IsPossibleNumberWithReason(parsed)
	if length != phonenumbers.IS_POSSIBLE || len(nsn) < shortestNumber {
		if isService(parsed, nsn) {
			return refuse(ServiceNumber)
		}
	}
	switch length {
	case phonenumbers.IS_POSSIBLE:
	case phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return refuse(LocalOnly)
	case phonenumbers.TOO_SHORT:
		return refuse(TooShort)
	case phonenumbers.TOO_LONG:
		return refuse(TooLong)
	case phonenumbers.INVALID_LENGTH:
		return refuse(wrongLength(mobileLengths()[code], len(nsn)))
	case phonenumbers.INVALID_COUNTRY_CODE:
		return refuse(NoCallingCode)
	}
	if len(number)-len("+") > longestE164 {
		return refuse(TooLong)
	}
	if code == argentina && strings.HasPrefix(strings.TrimPrefix(nsn, argentineMobile), argentineLocal) {
		return refuse(LocalOnly)
	}
	if fault := wrongLength(mobileLengths()[code], len(nsn)); fault != WrongLength && !phonenumbers.IsValidNumber(parsed) {
		return refuse(fault)
	}
	return number, nil
}

// wrongLength says on which side of a country's mobile numbers a length is;
// WrongLength for among them.
func wrongLength(mobile lengths, n int) Fault {
	switch {
	case mobile.most == 0:
		return WrongLength
	case n < mobile.least:
		return TooShort
	case n > mobile.most:
		return TooLong
	default:
		return WrongLength
	}
}
