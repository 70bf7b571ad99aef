package console

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/portal/layout"
)

type settingsPage struct {
	frame
	Fields  []settingField
	Changed bool // something can be returned to its start value
}

// verification is the name of the page; WSO2 Identity Server calls it "User Claim Update".
const verification = "Verification"

// settingField is a switch as the form shows it.
type settingField struct {
	settings.State
	Name   string // of the input
	Label  string
	Means  string
	IsText bool
	Typed  string
	Was    string // what the form was filled with
	Fault  string
}

// On reports whether a switch is ticked.
func (f settingField) On() bool { return f.Typed == "true" }

// StartWords is the start value in words.
func (f settingField) StartWords() string { return settingWords(f.Start) }

func settingWords(value string) string {
	switch value {
	case "true":
		return "on"
	case "false":
		return "off"
	default:
		return value
	}
}

// switchWords are a switch's own words.
var switchWords = map[settings.Key]struct{ label, means string }{
	settings.Verify: {
		"Verify mobile numbers on update",
		"A changed number is held back until a code that was texted to it comes back.",
	},
	settings.VerifyPrivileged: {
		"Verify updates by privileged users too",
		"Off: numbers that administrators and provisioning services set are written at once, not verified.",
	},
	settings.Validity: {
		"Validity of a code",
		"Such as 5m or 90s; a bare number means minutes. It holds for codes that are sent from now on.",
	},
	settings.UseVerifyClaim: {
		"Let SCIM clients choose with verifyMobile",
		"On: a number that comes by SCIM is verified only if the request says verifyMobile: true. Off: always.",
	},
	settings.AllowedCodes: {
		"Countries that are texted",
		"Calling codes, or longer beginnings of numbers, such as 49, 43, 1876; or all. Other numbers are refused when a change is asked for.",
	},
	settings.DeniedCodes: {
		"Countries that are not",
		"The same, or none. Where a number begins as an entry of both lists does, the longer one decides.",
	},
}

func (s *console) settings(c *gin.Context, v *visit) error {
	return s.showSettings(c, v, http.StatusOK, s.settingFields())
}

func (s *console) showSettings(c *gin.Context, v *visit, status int, fields []settingField) error {
	p := settingsPage{frame: s.frame(v, verification), Fields: fields}
	for _, f := range fields {
		p.Changed = p.Changed || f.Set != nil
	}
	s.pages.Show(c, status, "settings", p)
	return nil
}

func (s *console) settingFields() []settingField {
	var fields []settingField
	for _, state := range s.Settings.States() {
		words, name := switchWords[state.Key], string(state.Key)
		f := settingField{
			State: state, Name: name[strings.LastIndexByte(name, '.')+1:], Label: words.label, Means: words.means,
			IsText: state.Key == settings.Validity || state.Key.IsList(),
		}
		f.Value, f.Start = plain(state.Value), plain(state.Start)
		f.Typed, f.Was = f.Value, f.Value
		fields = append(fields, f)
	}
	return fields
}

// plain writes a duration, or a list, as people do.
func plain(value string) string {
	if d, err := time.ParseDuration(value); err == nil {
		return span(d)
	}
	return strings.ReplaceAll(value, ",", ", ")
}

// saveSettings sets what is not as the form was filled, so that it does not undo
// what somebody else has set meanwhile. A form may have some of the settings only.
func (s *console) saveSettings(c *gin.Context, v *visit) error {
	fields, values := s.settingFields(), map[settings.Key]*string{}
	for i := range fields {
		f := &fields[i]
		was, shown := c.GetPostForm("was." + f.Name)
		if !shown {
			continue
		}
		f.Typed, f.Was = c.PostForm(f.Name), was
		if !f.IsText && f.Typed != "true" {
			f.Typed = "false"
		}
		if strings.TrimSpace(f.Typed) != f.Was {
			values[f.Key] = &f.Typed
		}
	}
	return s.changeSettings(c, v, fields, values, "saved")
}

// changeSettings sets values, once it is sure that they are meant.
func (s *console) changeSettings(c *gin.Context, v *visit, fields []settingField, values map[settings.Key]*string, done string) error {
	if len(values) == 0 {
		s.done(c, Path+"/settings", "unchanged")
		return nil
	}
	next, err := s.Settings.With(values)
	if err == nil && c.PostForm("sure") == "" {
		if asked, err := s.askSure(c, v, fields, values, next); asked || err != nil {
			return err
		}
	}
	if err == nil {
		err = s.Settings.Set(c.Request.Context(), values, v.who.Actor)
	}
	if err == nil {
		s.done(c, Path+"/settings", done)
		return nil
	}
	faults := settingFaults(err)
	for i := range fields {
		fields[i].Fault = faults[fields[i].Key]
	}
	status, _, text := s.words(c, err)
	if len(faults) > 0 {
		text = "Nothing was saved yet: see below."
	}
	v.notice = layout.Notice{Kind: "error", Text: text}
	return s.showSettings(c, v, status, fields)
}

// surePage asks whether something is meant that takes safety or service from people.
type surePage struct {
	frame
	Act    string         // what the form is sent to
	Fields []settingField // that are set
	Event  string         // of the audit trail, that is undone
	Switch string         // that is returned to its start
	Off    bool           // verification is switched off
	Fewer  *fewerCountries
}

// fewerCountries is what other lists of calling codes would do.
type fewerCountries struct {
	Allowed, Denied []string // in words, as they would be
	admin.Outside
}

// askSure asks where verification would be switched off, from when on nobody proves a number, or
// where numbers that are texted now would not be.
func (s *console) askSure(c *gin.Context, v *visit, fields []settingField, values map[settings.Key]*string, next claim.Policy) (asked bool, err error) {
	now := s.Policy()
	p := surePage{
		Act: c.Request.URL.Path, Event: c.PostForm("event"), Switch: c.PostForm("switch"),
		Off: now.Enabled && !next.Enabled,
	}
	title := "Switch verification off?"
	if !next.Coverage.Includes(now.Coverage) {
		p.Fewer = &fewerCountries{Allowed: codeWords(next.Coverage.Allowed), Denied: codeWords(next.Coverage.Denied)}
		if p.Fewer.Outside, err = s.Admin.Outside(c.Request.Context(), next.Coverage); err != nil {
			return false, err
		}
		title = "Text fewer countries?"
		if p.Off {
			title = "Switch verification off, and text fewer countries?"
		}
	}
	if !p.Off && p.Fewer == nil {
		return false, nil
	}
	for _, f := range fields {
		if values[f.Key] != nil {
			p.Fields = append(p.Fields, f)
		}
	}
	p.frame = s.frame(v, title).below(verification)
	s.pages.Show(c, http.StatusOK, "sure", p)
	return true, nil
}

// codeWords names the countries of calling codes, and of longer beginnings.
func codeWords(codes []string) []string {
	words := make([]string, len(codes))
	for i, code := range codes {
		if words[i] = "+" + code; phone.FromStore(words[i]).CallingCode() == code {
			words[i] = codeAndCountry(code)
		}
	}
	return words
}

// settingFaults takes joined errors apart.
func settingFaults(err error) map[settings.Key]string {
	faults := map[settings.Key]string{}
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, err := range all {
		if fault := (*settings.Error)(nil); errors.As(err, &fault) {
			faults[fault.Key] = "It " + fault.Why + "."
		}
	}
	return faults
}

func (s *console) returnSetting(c *gin.Context, v *visit) error {
	key, err := settings.ParseKey(c.PostForm("switch"))
	if err != nil {
		return errMalformed
	}
	return s.changeSettings(c, v, s.settingFields(), map[settings.Key]*string{key: nil}, "returned")
}

// undoSetting takes a change back that the audit trail has, if nothing has changed since.
func (s *console) undoSetting(c *gin.Context, v *visit) error {
	id, err := strconv.ParseInt(c.PostForm("event"), 10, 64)
	if err != nil || id < 1 || id == math.MaxInt64 {
		return errMalformed
	}
	found, err := s.Archive.FindEvents(c.Request.Context(), admin.EventQuery{Before: id + 1, Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].ID != id {
		return errMalformed
	}
	if err := s.Settings.Once(c.Request.Context()); err != nil {
		return err
	}
	state, step, ok := s.lastStep(found[0])
	if !ok {
		s.done(c, Path+"/settings", "overtaken")
		return nil
	}
	values := map[settings.Key]*string{step.Key: nil}
	if step.Before != state.Start {
		values[step.Key] = &step.Before
	}
	fields := s.settingFields()
	for i := range fields {
		if fields[i].Key == step.Key {
			fields[i].Typed = step.Before
		}
	}
	return s.changeSettings(c, v, fields, values, "undone")
}

// lastStep is the change of a setting that a line of the audit trail is of, as long as that is what
// the setting is still.
func (s *console) lastStep(e admin.EventRecord) (state settings.State, step settings.Step, ok bool) {
	if e.Kind != settings.Changed && e.Kind != settings.Returned {
		return state, step, false
	}
	if step, ok = settings.ParseStep(e.Reason); !ok || step.Before == step.After {
		return state, step, false
	}
	for _, state = range s.Settings.States() {
		if state.Key == step.Key {
			return state, step, state.Value == step.After
		}
	}
	return state, step, false
}
