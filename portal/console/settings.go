package console

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

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
			IsText: state.Key == settings.Validity,
		}
		f.Value, f.Start = plain(state.Value), plain(state.Start)
		f.Typed, f.Was = f.Value, f.Value
		fields = append(fields, f)
	}
	return fields
}

// plain writes a duration as people do.
func plain(value string) string {
	if d, err := time.ParseDuration(value); err == nil {
		return span(d)
	}
	return value
}

// saveSettings sets what is not as the form was filled, so that it does not undo
// what somebody else has set meanwhile.
func (s *console) saveSettings(c *gin.Context, v *visit) error {
	fields, values := s.settingFields(), map[settings.Key]*string{}
	for i := range fields {
		f := &fields[i]
		f.Typed, f.Was = c.PostForm(f.Name), c.PostForm("was."+f.Name)
		if !f.IsText && f.Typed != "true" {
			f.Typed = "false"
		}
		if strings.TrimSpace(f.Typed) != f.Was {
			values[f.Key] = &f.Typed
		}
	}
	if len(values) == 0 {
		s.done(c, Path+"/settings", "unchanged")
		return nil
	}
	if off := values[settings.Verify]; off != nil && *off == "false" && c.PostForm("sure") == "" {
		return s.askOff(c, v, fields)
	}
	err := s.Settings.Set(c.Request.Context(), values, v.who.Actor)
	if err == nil {
		s.done(c, Path+"/settings", "saved")
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

type offPage struct {
	frame
	Fields []settingField
}

// askOff asks whether verification is meant to be switched off: from then on nobody proves a number.
func (s *console) askOff(c *gin.Context, v *visit, fields []settingField) error {
	s.pages.Show(c, http.StatusOK, "off", offPage{s.frame(v, "Switch verification off?").below(verification), fields})
	return nil
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
	if err := s.Settings.Set(c.Request.Context(), map[settings.Key]*string{key: nil}, v.who.Actor); err != nil {
		return err
	}
	s.done(c, Path+"/settings", "returned")
	return nil
}
