package users

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/scim/mapping"
)

// ErrUnmapped says that no identity schema can keep a SCIM user.
var ErrUnmapped = errors.New("scim: no identity schema fits the attribute mapping")

// Schemas reads all identity schemas, by their ids.
type Schemas func(ctx context.Context) (map[string]map[string]any, error)

// catalogueFresh is how long the schemas are believed, and catalogueRetry how soon
// they are read again for an identity of one that is not known.
const (
	catalogueFresh = 5 * time.Minute
	catalogueRetry = 15 * time.Second
)

// CatalogueOptions are what a [Catalogue] needs.
type CatalogueOptions struct {
	Schemas Schemas
	// Rules are the operator's; without any, each schema has those of
	// [mapping.Default].
	Rules   []mapping.Rule
	Mapping mapping.Options
	// SchemaID is of the schema that new users have; blank for Kratos' default.
	SchemaID string
	Now      func() time.Time
}

// Catalogue knows how the identities of each schema are mapped. Identities of a
// schema that the mapping does not fit are no users.
type Catalogue struct {
	opt CatalogueOptions

	mu     sync.Mutex
	known  map[string]fitting
	read   time.Time
	faults []error
}

// fitting is a schema that can keep users.
type fitting struct {
	mapping *mapping.Mapping
	rules   []mapping.Rule
}

// NewCatalogue returns one that reads the schemas when they are needed.
func NewCatalogue(opt CatalogueOptions) *Catalogue { return &Catalogue{opt: opt} }

// Load reads the schemas now. Faults say what of the mapping does not fit which
// schema; err that the schemas could not be read.
func (c *Catalogue) Load(ctx context.Context) (faults []error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err = c.load(ctx)
	return c.faults, err
}

func (c *Catalogue) load(ctx context.Context) error {
	schemas, err := c.opt.Schemas(ctx)
	if err != nil {
		return err
	}
	known, faults := map[string]fitting{}, []error(nil)
	for _, id := range slices.Sorted(maps.Keys(schemas)) {
		rules := c.opt.Rules
		if len(rules) == 0 {
			rules = mapping.Default(schemas[id], c.opt.Mapping.MobileTrait)
		}
		m, err := mapping.New(rules, c.opt.Mapping)
		if err != nil {
			faults = append(faults, fmt.Errorf("identity schema %q: %w", id, err))
			continue
		}
		if wrong := m.Check(schemas[id]); len(wrong) > 0 {
			for _, fault := range wrong {
				faults = append(faults, fmt.Errorf("identity schema %q: %w", id, fault))
			}
			continue
		}
		known[id] = fitting{m, rules}
	}
	c.known, c.faults, c.read = known, faults, c.opt.Now()
	return nil
}

// Of returns the mapping of a schema's identities, or false if they are no users.
func (c *Catalogue) Of(ctx context.Context, schemaID string) (*mapping.Mapping, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.known[schemaID]
	age := c.opt.Now().Sub(c.read)
	if c.known == nil || age > catalogueFresh || !ok && age > catalogueRetry {
		if err := c.load(ctx); err != nil && c.known == nil {
			return nil, false, err
		}
		found, ok = c.known[schemaID]
	}
	return found.mapping, ok, nil
}

// ForNew returns the schema that new users have, and its mapping. A blank id is
// Kratos' default schema; which one that is Kratos does not tell, so that it is
// only good where the mapping is the same for all. Otherwise the error is
// ErrUnmapped.
func (c *Catalogue) ForNew(ctx context.Context) (string, *mapping.Mapping, error) {
	if _, _, err := c.Of(ctx, c.opt.SchemaID); err != nil {
		return "", nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opt.SchemaID != "" {
		found, ok := c.known[c.opt.SchemaID]
		if !ok {
			return "", nil, fmt.Errorf("%w: scim.schema_id names none that fits", ErrUnmapped)
		}
		return c.opt.SchemaID, found.mapping, nil
	}
	ids := slices.Sorted(maps.Keys(c.known))
	if len(ids) == 0 {
		return "", nil, ErrUnmapped
	}
	first := c.known[ids[0]]
	for _, id := range ids[1:] {
		if !reflect.DeepEqual(first.rules, c.known[id].rules) {
			return "", nil, fmt.Errorf("%w: several do, name the one for new users in scim.schema_id", ErrUnmapped)
		}
	}
	if len(c.faults) > 0 { // the default may be one that does not fit
		return ids[0], first.mapping, nil
	}
	return "", first.mapping, nil
}
