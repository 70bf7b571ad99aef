package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	kratos "github.com/ory/kratos-client-go"

	"github.com/holdline/holdline/scim"
)

func password(text string) *kratos.IdentityWithCredentials {
	config := kratos.IdentityWithCredentialsPasswordConfig{Password: &text}
	return &kratos.IdentityWithCredentials{Password: &kratos.IdentityWithCredentialsPassword{Config: &config}}
}

// SetPassword gives an identity a password, whether it had one or not. Kratos
// takes one only together with the whole identity (docs/kratos.md, I), so it is
// read and written back word for word: hold the identity's lease. What a person
// writes through Kratos itself between the two is lost. Sessions go on; see
// [Directory.EndSessions]. A password that Kratos cannot take is a
// *scim.ViolationError at #/password; its policy does not apply here.
func (d *Directory) SetPassword(ctx context.Context, id, text string) error {
	const operation = "set password"
	if text == "" {
		return fmt.Errorf("%s: %w", operation, &scim.ViolationError{Pointers: []string{passwordPointer}})
	}
	found, err := d.whole(ctx, id)
	if err != nil {
		return err
	}
	var traits map[string]json.RawMessage
	if json.Unmarshal(found.Traits, &traits) != nil {
		return malformed(operation)
	}
	body := kratos.UpdateIdentityBody{
		SchemaId: found.SchemaID, State: found.State, Traits: map[string]any{}, Credentials: password(text),
	}
	for name, value := range traits {
		body.Traits[name] = value
	}
	if found.MetadataPublic != nil {
		body.MetadataPublic = found.MetadataPublic
	}
	if found.MetadataAdmin != nil {
		body.MetadataAdmin = found.MetadataAdmin
	}
	_, err = known[identity](ctx, d, operation, id, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.UpdateIdentity(ctx, id).UpdateIdentityBody(body).Execute()
		return resp, err
	})
	return err
}
