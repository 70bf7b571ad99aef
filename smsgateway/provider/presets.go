package provider

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/message"
)

// presetFiles hold one provider each: where and how it is asked, what an operator
// has to give, the body of a request and the rule for answers.
//
//go:embed presets/*.jsonnet
var presetFiles embed.FS

// presetSettings are a file's visible fields.
type presetSettings struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	// Query says that the body's fields belong into the URL.
	Query bool `json:"query"`
	// Auth is the type of request_config.auth that the provider asks for.
	Auth string `json:"auth"`
	// Data and Templates name what the operator has to give.
	Data      []string `json:"data"`
	Templates bool     `json:"templates"`
}

// Presets are the names of the providers whose answers are understood without a
// rule of the operator's.
func Presets() []string {
	var names []string
	for name, t := range providers {
		if t.api != nil {
			names = append(names, name)
		}
	}
	files, _ := presetFiles.ReadDir("presets") // It is in this program.
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file.Name(), ".jsonnet"))
	}
	slices.Sort(names)
	return names
}

// usePreset fills in what the operator left out. A provider that has a type of its own
// only reads the answers to requests that the operator describes.
func (c *custom) usePreset() []error {
	name := c.options.Preset
	if name == "" {
		return nil
	}
	if t := providers[name]; t.api != nil {
		c.api = t.api(nil, "")
		return nil
	}
	source, err := presetFiles.ReadFile(path.Join("presets", name+".jsonnet"))
	if err != nil {
		return []error{fmt.Errorf("preset: must be one of %s", strings.Join(Presets(), ", "))}
	}
	settings, err := readPreset(string(source))
	if err != nil {
		return []error{fmt.Errorf("preset: %w", err)}
	}
	const limit = time.Second
	if c.rule, err = parseRule(part(source, "response"), limit); err != nil {
		return []error{fmt.Errorf("preset: %w", err)}
	}
	if c.config.Body != "" {
		return nil // the request is the operator's
	}
	var faults []error
	if c.config.URL == "" {
		c.config.URL = settings.URL
	}
	own := c.config.Headers
	c.config.Headers = withHeaders(own, settings.Headers)
	c.query, c.templates = settings.Query, settings.Templates
	if c.body, err = parseBody(part(source, "body"), c.query || c.config.mediaType() == typeForm, limit, nil); err != nil {
		faults = append(faults, fmt.Errorf("preset: %w", err))
	}
	for _, name := range settings.Data {
		if c.options.Data[name] == "" {
			faults = append(faults, fmt.Errorf("data.%s: is missing", name))
		}
	}
	if settings.Templates && len(c.options.TemplateIDs[message.TextCode]) == 0 {
		faults = append(faults, errors.New("template_ids: is missing"))
	}
	// A header of the operator's may do as well.
	if c.config.Auth.Type != settings.Auth && (c.config.Auth.Type != "" || len(own) == 0 || settings.Auth == "acs3") {
		faults = append(faults, fmt.Errorf("request_config.auth.type: must be %s", settings.Auth))
	}
	return faults
}

// part is a function of a preset's file as a source of its own.
func part(source []byte, field string) string { return "(" + string(source) + ")." + field }

func readPreset(source string) (presetSettings, error) {
	var settings presetSettings
	parsed, err := parseSnippet("preset", source, time.Second)
	if err != nil {
		return settings, err
	}
	out, err := parsed.evaluate(nil)
	if err != nil {
		return settings, parsed.describe(err)
	}
	err = json.Unmarshal([]byte(out), &settings)
	return settings, err
}

// withHeaders adds those that the operator has not set.
func withHeaders(own, more map[string]string) map[string]string {
	all := maps.Clone(more)
	if all == nil {
		all = map[string]string{}
	}
	for name, value := range own {
		maps.DeleteFunc(all, func(other, _ string) bool { return strings.EqualFold(other, name) })
		all[name] = value
	}
	return all
}

// withQuery adds a form to a URL, with spaces as all servers read them.
func withQuery(address string, form []byte) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // it is refused elsewhere
	}
	query := strings.ReplaceAll(string(form), "+", "%20")
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = query
	return u.String()
}
