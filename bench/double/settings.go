package double

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
)

// Hooks say where the web hooks of a settings flow go.
type Hooks struct {
	URL func() string // of Holdline's admin listener, or of that of a replica
	Key string
	// Client makes the calls.
	Client *http.Client
}

// errNoIdentity says that a form was saved for nobody.
var errNoIdentity = errors.New("double: no such identity")

// Save puts a number through a settings flow: the stage hook, whose answer is
// stored, then the activate hook. The bodies are those that the jsonnet of
// `holdline kratos-config` makes.
func (k *Kratos) Save(ctx context.Context, id, flowID, mobile string) error {
	before, ok := k.Identity(id)
	if !ok {
		return errNoIdentity
	}
	proposed := maps.Clone(before.Traits)
	proposed[trait] = mobile
	// Kratos v1.3 does not tell hooks when the session was authenticated.
	var staged struct{ Identity Identity }
	err := k.call(ctx, "/hooks/settings/stage", map[string]any{
		"identity_id": id, "flow_id": flowID, "schema_id": before.SchemaID,
		"old_mobile": before.Mobile(), "new_mobile": mobile, "pending_mobile": member(before.MetadataPublic),
		"traits": proposed, "metadata_public": before.MetadataPublic, "verifiable_addresses": before.Addresses,
		"authenticated_at": nil, "language": "en",
	}, &staged)
	if err != nil {
		return err
	}
	after := before
	after.Traits, after.MetadataPublic = staged.Identity.Traits, staged.Identity.MetadataPublic
	if staged.Identity.Addresses != nil {
		after.Addresses = staged.Identity.Addresses
	}
	after = after.settled()
	k.mu.Lock()
	k.people[id] = after
	k.mu.Unlock()
	return k.call(ctx, "/hooks/settings/activate", map[string]any{
		"identity_id": id, "flow_id": flowID, "new_mobile": after.Mobile(),
		"pending_mobile": member(after.MetadataPublic), "language": "en",
	}, nil)
}

// member is the pending number, or null.
func member(metadata map[string]string) any {
	if pending, ok := metadata[pendingKey]; ok {
		return pending
	}
	return nil
}

// call posts to a hook; any answer but 200 and 204 is an error.
func (k *Kratos) call(ctx context.Context, path string, body, into any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, k.Hooks.URL()+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hook-Key", k.Hooks.Key)
	response, err := k.Hooks.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNoContent:
		return fmt.Errorf("%s: status %d: %s", path, response.StatusCode, said)
	case into == nil:
		return nil
	}
	return json.Unmarshal(said, into)
}
