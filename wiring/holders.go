package wiring

import (
	"context"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/kratos"
)

// holders find who has a number: by Kratos' identifiers, and by the index of users,
// since Kratos looks nobody up by an address that is no identifier.
type holders struct {
	kratos.Realms
	program *program
}

// Holders implements [claim.Holders].
func (h holders) Holders(ctx context.Context, identityID string, number phone.Number) ([]claim.Holder, error) {
	var indexed []string
	if realm, _ := claim.SplitRealm(identityID); realm == claim.PrimaryRealm && h.program.cfg.SCIM.Enabled {
		var err error
		if indexed, err = h.program.scim.users.Holding(ctx, number); err != nil {
			return nil, err
		}
	}
	return h.Realms.Holders(ctx, identityID, number, indexed)
}
