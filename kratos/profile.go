package kratos

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
)

// Profile returns what administrators know a person by. Traits are the operator's own:
// those with "name" in their path are taken for names, those with an @ in them for
// e-mail addresses.
func (d *Client) Profile(ctx context.Context, id string) (people.Profile, error) {
	found, err := d.read(ctx, id)
	if err != nil {
		return people.Profile{}, err
	}
	p := people.Profile{Identity: d.seen(found), Active: found.State != inactive, CreatedAt: found.CreatedAt.UTC()}
	var named []named
	eachText(nil, object(found.Traits), func(path []string, text string) {
		switch {
		case path[0] == d.opt.MobileTrait:
		case strings.Contains(text, "@"):
			p.Emails = append(p.Emails, text)
		case nameRank(path) < noName:
			named = append(named, namedBy(path, text))
		}
	})
	for _, a := range found.Addresses {
		if a.Via == "email" && a.Value != "" {
			p.Emails = append(p.Emails, a.Value)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(found.Credentials)) {
		if kind != passwordKind && kind != codeKind && kind != webAuthnKind {
			continue // such as a provider's subject
		}
		for _, identifier := range found.Credentials[kind].Identifiers {
			if !strings.Contains(identifier, "@") && identifier != found.ID && !isNumber(d.opt.Plan, identifier) {
				p.UserNames = append(p.UserNames, identifier)
			}
		}
	}
	p.Emails, p.UserNames = distinct(p.Emails), distinct(p.UserNames)
	p.Name, p.Names = nameOf(named, p.UserNames)
	return p, nil
}

// codeKind is the kind of credential that signs in by a code.
const codeKind = "code"

func isNumber(plan phone.Parser, text string) bool {
	_, err := phone.Parse(plan, text)
	return err == nil
}

// distinct keeps the first of those that differ in case only.
func distinct(texts []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(texts, func(text string) bool {
		twice := seen[strings.ToLower(text)]
		seen[strings.ToLower(text)] = true
		return twice
	})
}

// eachText tells of all texts in an object, by their paths, in the order of the paths.
func eachText(path []string, value any, tell func(path []string, text string)) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			eachText(append(slices.Clone(path), name), value[name], tell)
		}
	case []any:
		for _, one := range value {
			eachText(path, one, tell)
		}
	case string:
		if len(path) > 0 && strings.TrimSpace(value) != "" {
			tell(path, value)
		}
	}
}

// The order in which names stand, as far as their traits' own names tell.
const (
	wholeName = iota // name, display_name, full_name
	firstName
	middleName
	lastName
	otherName // nickname, username
	noName
)

// named is a trait that is a name.
type named struct {
	rank int
	text string
}

func namedBy(path []string, text string) named { return named{nameRank(path), strings.TrimSpace(text)} }

func nameRank(path []string) int {
	whole := strings.ToLower(strings.Join(path, "."))
	last := strings.ToLower(path[len(path)-1])
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(last, part) })
	}
	switch {
	case !strings.Contains(whole, "name") || has("pet", "maiden", "company", "file", "host"):
		return noName
	case has("first", "given", "fore"):
		return firstName
	case has("middle"):
		return middleName
	case has("last", "family", "sur"):
		return lastName
	case has("user", "nick", "login"):
		return otherName
	default:
		return wholeName
	}
}

// nameOf returns what to call somebody, and all of their names.
func nameOf(all []named, userNames []string) (name string, texts []string) {
	slices.SortStableFunc(all, func(a, b named) int { return cmp.Compare(a.rank, b.rank) })
	var parts []string
	for _, n := range all {
		texts = append(texts, n.text)
		switch {
		case n.rank == wholeName && name == "":
			name = n.text
		case n.rank == firstName, n.rank == middleName, n.rank == lastName:
			parts = append(parts, n.text)
		}
	}
	name = cmp.Or(name, strings.Join(parts, " "))
	if name == "" {
		name = cmp.Or(slices.Concat(texts, userNames, []string{""})...)
	}
	return name, distinct(texts)
}

var _ people.Directory = Realms{}

// Profile implements [people.Directory].
func (r Realms) Profile(ctx context.Context, identityID string) (people.Profile, error) {
	d, id, err := r.of(identityID)
	if err != nil {
		return people.Profile{}, err
	}
	found, err := d.Profile(ctx, id)
	found.ID = identityID
	return found, err
}

// Identify implements [people.Directory].
func (r Realms) Identify(ctx context.Context, identifier string) (string, error) {
	found, _, err := r.Person(ctx, "", identifier)
	if err != nil {
		return "", err
	}
	return found.ID, nil
}

// EndSessions ends all sessions of a person.
func (r Realms) EndSessions(ctx context.Context, identityID string) error {
	d, id, err := r.of(identityID)
	if err != nil {
		return err
	}
	return d.EndSessions(ctx, id)
}
