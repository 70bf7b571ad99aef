package phone

// Fault says what is wrong with a number that was typed.
type Fault string

// The faults of numbers.
const (
	NotANumber     Fault = "not_a_number"    // it has what belongs to no number
	NoCallingCode  Fault = "no_calling_code" // it begins with no calling code, or none that there is
	HasExtension   Fault = "extension"
	SeveralNumbers Fault = "several_numbers"
	TooShort       Fault = "too_short"
	TooLong        Fault = "too_long"
	WrongLength    Fault = "wrong_length" // between those that its country has
	LocalOnly      Fault = "local_only"   // the area code is missing
	ServiceNumber  Fault = "service_number"
)

// Error is an [ErrBadNumber] that says why.
type Error struct {
	Fault Fault
	// CallingCode is that of the country that the number would belong to; blank
	// where it makes no difference or is not known.
	CallingCode string
}

func (e *Error) Error() string { return ErrBadNumber.Error() + ": " + string(e.Fault) }

// Unwrap returns ErrBadNumber.
func (e *Error) Unwrap() error { return ErrBadNumber }
