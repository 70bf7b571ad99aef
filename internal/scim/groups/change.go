package groups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/patch"
	"github.com/holdline/holdline/internal/scim/users"
)

// The longest texts, in characters.
const (
	longestName       = 256
	longestExternalID = 512
)

// Create makes a group (RFC 7644, section 3.3).
func (s *Service) Create(ctx context.Context, by By, body map[string]any) (Group, error) {
	edit, err := s.whole(by, body)
	if err != nil {
		return Group{}, err
	}
	if err := s.known(ctx, edit.Members.Add, edit.where); err != nil {
		return Group{}, err
	}
	id, err := s.NewID()
	if err != nil {
		return Group{}, fmt.Errorf("make an id: %w", err)
	}
	now := s.Now()
	g := Group{ID: id, Name: edit.Name, ExternalID: edit.ExternalID, Version: 1, Created: now, Updated: now}
	done := Done{After: g, Joined: edit.Members.Add}
	return g, s.Store.Create(ctx, by.Client, g, edit.Members.Add, append(
		[]audit.Event{by.line(Created, "", title(id, g.Name), now)}, s.lines(by, done)...))
}

// Replace puts a whole resource in the place of another (RFC 7644, section 3.5.1).
func (s *Service) Replace(ctx context.Context, by By, id string, body map[string]any, wants users.Wants) (Group, error) {
	edit, err := s.whole(by, body)
	if err != nil {
		return Group{}, err
	}
	edit.Members.Only = true
	if err := s.existing(ctx, id, edit); err != nil {
		return Group{}, err
	}
	return s.change(ctx, by, id, wants, func(Group) (Edit, error) { return edit.Edit, nil })
}

// existing refuses members whom nobody knows, but says first that there is no group.
func (s *Service) existing(ctx context.Context, id string, edit wish) error {
	err := s.known(ctx, edit.Members.Add, edit.where)
	var fault *scim.Error
	if errors.As(err, &fault) {
		if _, missing := s.Find(ctx, By{}, id); missing != nil {
			return missing
		}
	}
	return err
}

// Patch applies all operations of a request or none (RFC 7644, section 3.5.2).
func (s *Service) Patch(ctx context.Context, by By, id string, request patch.Request, wants users.Wants) (Group, error) {
	members, rest, err := s.split(request)
	if err != nil {
		return Group{}, err
	}
	if err := s.existing(ctx, id, members); err != nil {
		return Group{}, err
	}
	return s.change(ctx, by, id, wants, func(g Group) (Edit, error) {
		edit := Edit{Name: g.Name, ExternalID: g.ExternalID, Members: members.Members}
		if len(rest.Operations) == 0 {
			return edit, nil
		}
		result, err := patch.Apply(s.resource, g.Document(), rest, patch.Options{Mode: s.Mode})
		if err != nil {
			return edit, err
		}
		return edit, s.singular(by, result.Document, &edit)
	})
}

func (s *Service) change(ctx context.Context, by By, id string, wants users.Wants, edit func(Group) (Edit, error)) (Group, error) {
	if !isID(id) {
		return Group{}, ErrNoGroup
	}
	now := s.Now()
	return s.Store.Change(ctx, by.Client, id, now, func(g Group) (Edit, error) {
		if wants != nil && !wants(g.Tag()) {
			return Edit{}, users.ErrVersion
		}
		return edit(g)
	}, func(done Done) []audit.Event { return s.lines(by, done) })
}

// lines are those of the audit trail about a change.
func (s *Service) lines(by By, done Done) []audit.Event {
	var lines []audit.Event
	at, about := done.After.Updated, title(done.After.ID, done.After.Name)
	if done.Before.ID != "" && done.renamed() {
		lines = append(lines, by.line(Renamed, "", about+", before: "+brief(done.Before.Name), at))
	}
	for _, user := range done.Joined {
		lines = append(lines, by.line(Joined, user, about, at))
	}
	for _, user := range done.Left {
		lines = append(lines, by.line(Left, user, about, at))
	}
	return lines
}

// Delete removes a group (RFC 7644, section 3.6).
func (s *Service) Delete(ctx context.Context, by By, id string, wants users.Wants) error {
	if !isID(id) {
		return ErrNoGroup
	}
	return s.Store.Delete(ctx, id, func(g Group) error {
		if wants != nil && !wants(g.Tag()) {
			return users.ErrVersion
		}
		return nil
	}, func(g Group) audit.Event { return by.line(Deleted, "", title(g.ID, g.Name), s.Now()) })
}

// Gone ends the memberships of a user who was deleted.
func (s *Service) Gone(ctx context.Context, user string, who audit.Actor) error {
	return s.Store.Leave(ctx, user, s.Now(), func(m Membership) audit.Event {
		return By{Actor: who}.line(Left, user, title(m.GroupID, m.Name)+", user deleted", s.Now())
	})
}

// Tag is the group's version as text.
func (g Group) Tag() string { return fmt.Sprint(g.Version) }

// wish is an edit that a client asks for, and where in the request its members stand.
type wish struct {
	Edit
	where map[string]string // by the id of a member who is to be added
}

// whole reads a resource that a client sent.
func (s *Service) whole(by By, body map[string]any) (wish, error) {
	about := func(path string) bool { return s.resource.About(path, scim.MembersAttribute) }
	document, err := s.resource.Read(s.resource.Select(body, func(path string) bool { return !about(path) }), s.Mode)
	if err != nil {
		return wish{}, err
	}
	w := wish{where: map[string]string{}}
	if err := s.singular(by, document, &w.Edit); err != nil {
		return w, err
	}
	list, err := s.given(body)
	if err != nil {
		return w, err
	}
	found, err := readMembers(list, s.Mode)
	for _, m := range found {
		if _, twice := w.where[m.id]; !twice {
			w.Members.Add = append(w.Members.Add, m.id)
			w.where[m.id] = m.at
		}
	}
	return w, err
}

// given returns the members that a body has, at its root or under the schema's URN.
func (s *Service) given(body map[string]any) (any, error) {
	var found any
	var collect func(members map[string]any) error
	collect = func(members map[string]any) error {
		for name, value := range members {
			inner, ok := value.(map[string]any)
			switch {
			case ok && strings.EqualFold(name, s.resource.Core.ID):
				if err := collect(inner); err != nil {
					return err
				}
			case strings.EqualFold(name, scim.MembersAttribute) && found != nil:
				return scim.Bad(scim.InvalidSyntax, "members is given twice")
			case strings.EqualFold(name, scim.MembersAttribute):
				found = value
			}
		}
		return nil
	}
	return found, collect(body)
}

// singular reads the attributes that are no lists.
func (s *Service) singular(by By, document map[string]any, into *Edit) error {
	into.Name, _ = document["displayName"].(string)
	into.ExternalID, _ = document["externalId"].(string)
	if by.Client == "" {
		into.ExternalID = "" // people have none
	}
	switch {
	case scim.Blank(into.Name):
		return scim.Bad(scim.InvalidValue, "displayName is required")
	case !printable(into.Name, longestName):
		return scim.Bad(scim.InvalidValue, fmt.Sprintf("displayName must have no control characters, and %d characters at most", longestName))
	case !printable(into.ExternalID, longestExternalID):
		return scim.Bad(scim.InvalidValue, fmt.Sprintf("externalId must have no control characters, and %d characters at most", longestExternalID))
	}
	return nil
}

func printable(text string, longest int) bool {
	return utf8.RuneCountInString(text) <= longest && !strings.ContainsFunc(text, unicode.IsControl)
}

// known refuses members whom nobody knows, by where they stand in the request.
func (s *Service) known(ctx context.Context, ids []string, where map[string]string) error {
	if len(ids) == 0 {
		return nil
	}
	known, err := s.Users.Known(ctx, ids)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return known[id] })
	if len(missing) == 0 {
		return nil
	}
	return scim.Bad(scim.InvalidValue, where[missing[0]]+".value: there is no such user")
}
