package provider

import (
	"context"
	"strings"
	"time"

	"github.com/holdline/holdline/smsgateway"
)

// SignACS3 is for the published example of a signature.
var SignACS3 = signACS3

// HandedOn is a template that renders messages in both ways.
type HandedOn struct{ template *bodyTemplate }

// ParseHandedOn reads the template of a gateway.
func ParseHandedOn(source string, form bool) (HandedOn, error) {
	t, err := parseBody(source, form, time.Minute, nil)
	return HandedOn{t}, err
}

// BothWays renders a message by what was prepared for its shape, if anything was, and by
// evaluating the template for it alone.
func (h HandedOn) BothWays(m smsgateway.Message, templateID string, data map[string]string) (
	got, want []byte, gotErr, wantErr error, prepared bool,
) {
	f := filled{Message: m, TemplateID: templateID, Data: object{}}
	for name, value := range data {
		f.Data[name] = value
	}
	got, gotErr = h.template.render(context.Background(), f)
	shape, _ := taken(f)
	prepared = h.template.preparations.all[shape] != nil
	want, wantErr = h.alone(f)
	return got, want, gotErr, wantErr, prepared
}

// alone evaluates the template for one message.
func (h HandedOn) alone(f filled) ([]byte, error) {
	return h.template.finish(h.template.evaluated(context.Background(), f))
}

// Render makes the body of a message's request.
func (h HandedOn) Render(m smsgateway.Message) ([]byte, error) {
	return h.template.render(context.Background(), filled{Message: m})
}

// Evaluate is Render without what was prepared.
func (h HandedOn) Evaluate(m smsgateway.Message) ([]byte, error) { return h.alone(filled{Message: m}) }

// PresetBody is the template of a preset's requests.
func PresetBody(name string) (source string, form bool, err error) {
	file, err := presetFiles.ReadFile("presets/" + name + ".jsonnet")
	if err != nil {
		return "", false, err
	}
	settings, err := readPreset(string(file))
	return part(file, "body"), settings.Query || strings.HasPrefix(settings.Headers["Content-Type"], typeForm), err
}
