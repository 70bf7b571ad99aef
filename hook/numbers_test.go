package hook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// staged sends what Kratos' jsonnet makes of a form through the stage hook. The stored
// identity is what the admin API shows.
func staged(t *testing.T, traits, public, proposed string, documents func() (hook.Documents, error)) (int, string) {
	t.Helper()
	identity := func(traits string) string {
		return `{"id":"i","schema_id":"default","traits":` + traits + `,"metadata_public":` + public + `,"verifiable_addresses":[]}`
	}
	ctx := `{"flow":{"id":"f","identity":` + identity(traits) + `},"identity":` + identity(proposed) + `}`
	body, err := evaluate(t, setup, 0, ctx)
	if err != nil {
		t.Fatal(err)
	}
	ruling := &rulings{answer: claim.Answer{Decision: claim.Challenge, Pending: phone.FromStore("+4915112345671")}}
	handler := mountedWith(t, ruling, slog.New(slog.DiscardHandler), nil, func(context.Context, string) (hook.Documents, error) { return documents() })
	got := post(t, handler, hook.StagePath, key, body)
	return got.Code, got.Body.String()
}

// written reads JSON with its numbers as they are written.
func written(t *testing.T, text string) map[string]any {
	t.Helper()
	var value map[string]any
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

func answered(t *testing.T, body string) (traits, public map[string]any) {
	t.Helper()
	identity, _ := written(t, body)["identity"].(map[string]any)
	traits, _ = identity["traits"].(map[string]any)
	public, _ = identity["metadata_public"].(map[string]any)
	return traits, public
}

// random makes JSON of any numbers, and reports whether jsonnet loses some of them.
type random struct {
	*rand.Rand
	doubtful bool
}

func (r *random) value(depth int) string {
	pick := r.IntN(8)
	if depth > 3 {
		pick = r.IntN(6)
	}
	switch pick {
	case 0:
		return fmt.Sprint(r.Int64N(1<<53-1) - r.Int64N(1<<53-1)) // kept
	case 1:
		return []string{`"text"`, "true", "null", `"9007199254740993"`, "[]", "{}", `"<&>"`}[r.IntN(7)]
	case 2:
		r.doubtful = true
		return fmt.Sprint(uint64(1)<<53 + r.Uint64N(1<<62))
	case 3:
		r.doubtful = true
		return []string{"9007199254740993", "-9007199254740993", "12345678901234567890123", "1e300", "-1.5e+21", "1E22"}[r.IntN(6)]
	case 4:
		r.doubtful = true
		return fmt.Sprintf("%d.%d1", r.IntN(1000), r.IntN(1000)) // never whole
	case 5:
		r.doubtful = true
		return []string{"0.1", "-19.99", "3.14159265358979323846264", "1e-7", "2.50", "0.30000000000000004"}[r.IntN(6)]
	case 6:
		var list []string
		for range r.IntN(4) {
			list = append(list, r.value(depth+1))
		}
		return "[" + strings.Join(list, ",") + "]"
	default:
		return r.object(depth + 1)
	}
}

func (r *random) object(depth int, more ...string) string {
	for i := range r.IntN(4) {
		more = append(more, fmt.Sprintf(`"k%d":%s`, i, r.value(depth)))
	}
	return "{" + strings.Join(more, ",") + "}"
}

// Whatever numbers an identity has, what a form leaves alone is to the digit as it was.
// The identity is read for the sake of the digits only.
func TestIdentitiesPassTheHookToTheDigit(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		made := &random{Rand: r}
		fields := made.object(0)
		fields = strings.TrimSuffix(strings.TrimPrefix(fields, "{"), "}")
		if fields != "" {
			fields = "," + fields
		}
		public := made.object(0)
		traits := func(mobile string) string { return `{"mobile":"` + mobile + `"` + fields + `}` }
		reads := 0
		status, body := staged(t, traits("+4915112345670"), public, traits("+4915112345671"), func() (hook.Documents, error) {
			reads++
			return hook.Documents{Traits: json.RawMessage(traits("+4915112345670")), MetadataPublic: json.RawMessage(public)}, nil
		})
		if status != http.StatusOK {
			t.Fatalf("got %d %s for %s, %s", status, body, traits(""), public)
		}
		gotTraits, gotPublic := answered(t, body)
		wantPublic := written(t, public)
		wantPublic["pendingMobileNumber"] = "+4915112345671"
		if diff := cmp.Diff(written(t, traits("+4915112345670")), gotTraits); diff != "" {
			t.Fatalf("traits: %s", diff)
		}
		if diff := cmp.Diff(wantPublic, gotPublic); diff != "" {
			t.Fatalf("metadata_public: %s", diff)
		}
		if (reads == 1) != made.doubtful || reads > 1 {
			t.Fatalf("the identity was read %d times for %s, %s", reads, traits(""), public)
		}
	}
}

// What the form itself changes has no digits but those that came.
func TestNumbersThatAFormChanges(t *testing.T) {
	for name, tt := range map[string]struct {
		stored, typed string // the member n
		want          string // blank: refused
	}{
		"a fraction":                    {`1.25`, `19.99`, `19.99`},
		"a small fraction":              {`1`, `0.0000001`, `1e-07`},
		"a whole number":                {`0.1`, `12`, `12`},
		"fifteen digits":                {`1.5`, `123456789.012345`, `1.23456789012345e+08`},
		"too many digits":               {`1.5`, `0.12345678901234567`, ``},
		"beyond 2^53":                   {`1`, `9007199254740993`, ``},
		"2^53 itself":                   {`1`, `9007199254740992`, ``},
		"just below":                    {`9007199254740993`, `9007199254740991`, `9007199254740991`},
		"far beyond":                    {`1`, `1e300`, ``},
		"another one beyond":            {`9007199254740993`, `9007199254740995`, ``},
		"new, nested":                   {`{"a":[1]}`, `{"a":[1,9007199254740993]}`, ``},
		"gone from a list":              {`[9007199254740993,1]`, `[9007199254740993]`, `[9007199254740993]`},
		"beside one that stays":         {`{"big":9007199254740993,"x":1.5}`, `{"big":9007199254740993,"x":2.5}`, `{"big":9007199254740993,"x":2.5}`},
		"gone":                          {`9007199254740993`, `null`, `null`},
		"another text of the same":      {`9007199254740993`, `9007199254740992`, `9007199254740993`},
		"a number where there was text": {`"x"`, `9007199254740993`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			traits := func(mobile, n string) string {
				return `{"mobile":"` + mobile + `","big":12345678901234567890,"n":` + n + `}`
			}
			status, body := staged(t, traits("+4915112345670", tt.stored), "{}", traits("+4915112345671", tt.typed), func() (hook.Documents, error) {
				return hook.Documents{Traits: json.RawMessage(traits("+4915112345670", tt.stored)), MetadataPublic: json.RawMessage("null")}, nil
			})
			if tt.want == "" {
				if status != http.StatusBadRequest || !strings.Contains(body, "HLD-40006") || !strings.Contains(body, "Save your other changes first") {
					t.Errorf("got %d %s", status, body)
				}
				return
			}
			if status != http.StatusOK {
				t.Fatalf("got %d %s", status, body)
			}
			got, _ := answered(t, body)
			if diff := cmp.Diff(written(t, traits("+4915112345670", tt.want)), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An identity that cannot be read to the digit is not written from what came.
func TestWithoutTheDigitsTheNumberIsRefused(t *testing.T) {
	const stored, typed = `{"mobile":"+4915112345670","n":9007199254740993}`, `{"mobile":"+4915112345671","n":9007199254740993}`
	status, body := staged(t, stored, "{}", typed, func() (hook.Documents, error) {
		return hook.Documents{}, fmt.Errorf("read: %w", errors.Join(claim.ErrIdentitiesUnavailable))
	})
	if status != http.StatusBadRequest || !strings.Contains(body, "#/traits/mobile") {
		t.Errorf("got %d %s", status, body)
	}
}
