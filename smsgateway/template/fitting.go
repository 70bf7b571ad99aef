package template

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/language"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/segment"
)

const (
	longestCode    = 10
	longestMinutes = 24 * 60 // a code's longest validity
	mostSegments   = 10      // what providers take at most
)

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// New tries each text with the longest values that there are. Of the
// built-in ones it takes the best that fits, and refuses an operator's own that
// does not. It reports every fault, by the configuration's key.
func New(options Options) (*Templates, error) {
	options.Default = cmp.Or(options.Default, "en")
	options.CodeLength = cmp.Or(options.CodeLength, longestCode)
	options.Segments = cmp.Or(options.Segments, 1)
	options.NoticeSegments = cmp.Or(options.NoticeSegments, 3)
	if err := options.check(); err != nil {
		return nil, err
	}
	offered, err := builtIn(options.Host != "")
	if err != nil {
		return nil, err
	}
	faults := options.addOwn(offered)
	t := &Templates{product: options.Product, host: options.Host, catalogs: map[message.TextKind]*catalog{}}
	for _, kind := range kinds {
		if kind != message.TextCode && options.LongestLink == "" {
			continue
		}
		catalog, more := t.chooseTexts(kind, offered[kind], options)
		t.catalogs[kind] = catalog
		faults = append(faults, more...)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return t, nil
}

// check finds faults that leave nothing to try.
func (o Options) check() error {
	var faults []error
	unless := func(ok bool, fault string) {
		if !ok {
			faults = append(faults, errors.New(fault))
		}
	}
	unless(strings.TrimSpace(o.Product) != "" && !strings.ContainsFunc(o.Product, breaks), "sms.product: must be a name on one line")
	unless(o.Host == "" || hostName.MatchString(o.Host), "public.base_url: must have a host name")
	unless(o.CodeLength > 0 && o.CodeLength <= longestCode, fmt.Sprintf("otp.length: must be at most %d", longestCode))
	bound := fmt.Sprintf("must be from 1 to %d", mostSegments)
	unless(o.Segments > 0 && o.Segments <= mostSegments, "sms.segments: "+bound)
	unless(o.NoticeSegments > 0 && o.NoticeSegments <= mostSegments, "sms.notice_segments: "+bound)
	return errors.Join(faults...)
}

// breaks reports whether a character breaks lines, or controls something else.
func breaks(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// addOwn puts an operator's texts in the place of built-in ones.
func (o Options) addOwn(offered map[message.TextKind]map[language.Tag][]text) []error {
	var faults []error
	keys := map[language.Tag]string{}
	for _, key := range slices.Sorted(maps.Keys(o.Own)) {
		tag, err := smsgateway.ParseLanguage(key)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("sms.templates.%s: is not a language (BCP 47)", key))
			continue
		case keys[tag] != "":
			faults = append(faults, fmt.Errorf("sms.templates.%s: is the same language as %s", key, keys[tag]))
			continue
		}
		keys[tag] = key
		for _, kind := range kinds {
			source := o.Own[key][kind]
			if source == "" {
				continue
			}
			own, err := ownText(kind, tag, key, source, o.Host != "")
			if err != nil {
				faults = append(faults, fmt.Errorf("sms.templates.%s.%s: %w", key, kind, err))
				continue
			}
			offered[kind][tag] = []text{own}
		}
	}
	return faults
}

// chooseTexts chooses one text in each language.
func (t *Templates) chooseTexts(kind message.TextKind, offered map[language.Tag][]text, o Options) (*catalog, []error) {
	s := &catalog{}
	var faults []error
	var tight []string // languages whose built-in texts do not fit
	over, need := 0, 0
	for _, tag := range slices.SortedFunc(maps.Keys(offered), func(a, b language.Tag) int { return cmp.Compare(a.String(), b.String()) }) {
		chosen, err := t.fit(offered[tag], o)
		s.tags, s.texts = append(s.tags, tag), append(s.texts, chosen)
		long, ok := errors.AsType[excess](err)
		switch {
		case err == nil:
		case ok && chosen.Wording != OwnWording:
			tight, over, need = append(tight, tag.String()), max(over, long.over()), max(need, long.Messages)
		default:
			faults = append(faults, fmt.Errorf("sms.templates.%s.%s: %w", chosen.key, kind, err))
		}
	}
	if len(tight) > 0 && kind == message.TextCode {
		faults = append(faults, fmt.Errorf("sms.product: is too long by %d for the texts in %s", over, strings.Join(tight, ", ")))
	} else if len(tight) > 0 {
		faults = append(faults, fmt.Errorf("sms.notice_segments: must be %d for the texts in %s", need, strings.Join(tight, ", ")))
	}
	s.matcher = language.NewMatcher(s.tags)
	wanted, err := language.Parse(o.Default)
	_, i, confidence := s.matcher.Match(wanted)
	if confidence == language.No && kind == message.TextRemoved {
		// An operator's language that has the other notice does without this one.
		_, i, confidence = s.matcher.Match(language.English)
	}
	if err != nil || confidence == language.No {
		faults = append(faults, fmt.Errorf("sms.default_language: %q has no text for %s", o.Default, kind))
	}
	s.standard = i
	return s, faults
}

// fit returns the first text that fits; or the last one, and why it does not.
func (t *Templates) fit(candidates []text, o Options) (chosen text, err error) {
	for _, chosen = range candidates {
		longest, tried := t.try(chosen, o)
		if chosen.Encoding, chosen.Segments, err = longest.Encoding, longest.Messages, tried; err == nil {
			break
		}
	}
	return chosen, err
}

// try writes a text with the longest values. An error that is an [excess] is
// about the longest text.
func (t *Templates) try(candidate text, o Options) (segment.Measured, error) {
	data := Data{Code: strings.Repeat("8W", longestCode)[:o.CodeLength], Link: o.LongestLink}
	minutes, most, must, placeholder := tried(candidate.Wording), o.Segments, data.Code, "{{.Code}}"
	if candidate.Kind != message.TextCode {
		minutes, most, must, placeholder = []int{0}, o.NoticeSegments, data.Link, "{{.Link}}"
	}
	longest := excess{most: most}
	if candidate.FillsIn {
		longest.line = t.lastLine(data.Code)
	}
	for _, data.Minutes = range minutes {
		out, err := t.write(candidate, data)
		if err != nil {
			return segment.Measured{}, err
		}
		if err := readable(strings.TrimSuffix(out, longest.line), must, placeholder); err != nil {
			return segment.Measured{}, err
		}
		if m := segment.Measure(out); m.Messages > longest.Messages || m.Messages == longest.Messages && m.Units > longest.Units {
			longest.text, longest.Measured = out, m
		}
	}
	if longest.Messages > most {
		return longest.Measured, longest
	}
	return longest.Measured, nil
}

// tried returns the numbers of minutes that tell how long a text becomes. An
// operator's template may treat each of them as it likes. Plural rules look at a
// small number itself, and at no more than the last two digits of others, of
// which the longest count (https://cldr.unicode.org/index/cldr-spec/plural-rules).
func tried(w Wording) []int {
	var minutes []int
	for n := 1; n <= longestMinutes; n++ {
		if w == OwnWording || n <= 20 || n >= 1000 && n < 1100 {
			minutes = append(minutes, n)
		}
	}
	return minutes
}

// readable checks what a text says before its last line.
func readable(text, must, placeholder string) error {
	if !strings.Contains(text, must) {
		return errors.New("must say " + placeholder)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) == "" {
			return errors.New("must not have blank lines")
		}
		if strings.ContainsFunc(line, breaks) {
			return errors.New("must not have control characters")
		}
	}
	return nil
}
