package adminapi

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/web"
)

// settings answers with the values in force by their names: what PATCH takes.
func (h handlers) settings(*gin.Context, auth.Administrator) (map[settings.Key]any, error) {
	values := map[settings.Key]any{}
	for _, s := range h.Settings.States() {
		values[s.Key] = typed(s.Key, s.Value)
	}
	return values, nil
}

// typed turns truth values and lists into JSON's; durations stay text.
func typed(key settings.Key, value string) any {
	if key.IsList() {
		return key.Codes(value)
	}
	if on, err := strconv.ParseBool(value); err == nil {
		return on
	}
	return value
}

type settingResponse struct {
	Key        settings.Key `json:"key"`
	Value      any          `json:"value"`
	StartValue any          `json:"start_value"`
	SetBy      string       `json:"set_by,omitempty"`
	SetAt      *time.Time   `json:"set_at,omitempty"`
}

func (h handlers) setting(c *gin.Context, _ auth.Administrator) (settingResponse, error) {
	key, err := settingOf(c)
	if err != nil {
		return settingResponse{}, err
	}
	for _, s := range h.Settings.States() {
		if s.Key != key {
			continue
		}
		response := settingResponse{Key: key, Value: typed(key, s.Value), StartValue: typed(key, s.Start)}
		if s.Set != nil {
			response.SetBy, response.SetAt = s.Set.By, &s.Set.At
		}
		return response, nil
	}
	return settingResponse{}, web.ErrNoRoute
}

// settingOf reads the setting that a route names; one that does not exist is no
// route.
func settingOf(c *gin.Context) (settings.Key, error) {
	key, err := settings.ParseKey(c.Param("key"))
	if err != nil {
		return "", web.ErrNoRoute
	}
	return key, nil
}

// changeSettings takes a JSON merge patch (RFC 7396): what it does not name stays,
// null returns a setting to what the program starts with.
func (h handlers) changeSettings(c *gin.Context, who auth.Administrator) (map[settings.Key]any, error) {
	var in map[string]any
	if err := web.ReadMergePatch(c.Writer, c.Request, &in); err != nil {
		return nil, err
	}
	values := map[settings.Key]*string{}
	if err := flatten(values, "", in); err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, &settings.Error{Why: "no setting is named"}
	}
	if err := h.Settings.Set(c.Request.Context(), values, who.Actor); err != nil {
		return nil, err
	}
	return h.settings(c, who)
}

// flatten reads settings that are nested as in the configuration file, or named
// by their path, or by the end of it.
func flatten(values map[settings.Key]*string, path string, in map[string]any) error {
	for name, value := range in {
		name = path + name
		if inner, nested := value.(map[string]any); nested {
			if err := flatten(values, name+".", inner); err != nil {
				return err
			}
			continue
		}
		key, err := settings.ParseKey(name)
		if err != nil {
			return err
		}
		if _, twice := values[key]; twice {
			return &settings.Error{Key: key, Why: "is named twice"}
		}
		switch value := value.(type) {
		case nil:
			values[key] = nil
		case string, bool, float64:
			text := fmt.Sprint(value)
			values[key] = &text
		case []any:
			text, err := listOf(key, value)
			if err != nil {
				return err
			}
			values[key] = &text
		default:
			return &settings.Error{Key: key, Why: "must be a truth value, a number or text"}
		}
	}
	return nil
}

// listOf reads a list of calling codes; an empty one is all, or none.
func listOf(key settings.Key, entries []any) (string, error) {
	if !key.IsList() {
		return "", &settings.Error{Key: key, Why: "must be a truth value, a number or text"}
	}
	codes := make([]string, len(entries))
	for i, entry := range entries {
		code, ok := entry.(string)
		if !ok {
			return "", &settings.Error{Key: key, Why: "must have its entries as text, in quotes"}
		}
		// A blank entry is not the empty list, which is all; and a blank within a code makes two of it.
		if read, err := phone.ParseBeginnings(code); err == nil && len(read) != 1 {
			return "", &settings.Error{Key: key, Why: "must have one calling code in each entry"}
		}
		codes[i] = code
	}
	return strings.Join(codes, ","), nil
}

func (h handlers) returnSetting(c *gin.Context, who auth.Administrator) (web.None, error) {
	key, err := settingOf(c)
	if err != nil {
		return web.None{}, err
	}
	return web.None{}, h.Settings.Set(c.Request.Context(), map[settings.Key]*string{key: nil}, who.Actor)
}
