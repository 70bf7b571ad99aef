package users

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/scim"
)

const (
	// longestPassword is what bcrypt takes, in bytes.
	longestPassword = 72
	// tellingName is from how many characters a name must not be part of a password:
	// shorter ones come about by chance.
	tellingName = 4
)

// checkPassword refuses a document's password, if it has one, that is too short, too
// long, or has in it what everybody knows of the user: the userName, an e-mail address,
// or such an address up to its @, in either case. Kratos' own policy does not apply to
// its admin API.
func (s *Service) checkPassword(document map[string]any) error {
	password, _ := document["password"].(string)
	if password == "" {
		return nil
	}
	if utf8.RuneCountInString(password) < s.PasswordMinLength {
		return scim.Bad(scim.InvalidValue, fmt.Sprintf("password has fewer than %d characters", s.PasswordMinLength))
	}
	if len(password) > longestPassword {
		return scim.Bad(scim.InvalidValue, fmt.Sprintf("password is longer than %d bytes", longestPassword))
	}
	folded := scim.Fold(password)
	for _, name := range names(document) {
		if folded == name || utf8.RuneCountInString(name) >= tellingName && strings.Contains(folded, name) {
			return scim.Bad(scim.InvalidValue, "password has the userName or an e-mail address in it")
		}
	}
	return nil
}

// names are a user's userName and e-mail addresses, folded, each also up to its @.
func names(document map[string]any) []string {
	userName, _ := document["userName"].(string)
	all := []string{userName}
	emails, _ := document["emails"].([]any)
	for _, element := range emails {
		email, _ := element.(map[string]any)
		value, _ := email["value"].(string)
		all = append(all, value)
	}
	var folded []string
	for _, name := range all {
		name = scim.Fold(strings.TrimSpace(name))
		local, _, _ := strings.Cut(name, "@")
		for _, part := range []string{name, local} {
			if part != "" {
				folded = append(folded, part)
			}
		}
	}
	return folded
}
