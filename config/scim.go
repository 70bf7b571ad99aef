package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// SCIM says how users look to SCIM clients.
type SCIM struct {
	Enabled    bool   `koanf:"enabled" usage:"answer SCIM clients at /scim2"`
	Strict     bool   `koanf:"strict" usage:"keep to the RFCs where clients do not: no booleans as text, no unknown attributes"`
	WSO2Schema bool   `koanf:"wso2_schema" usage:"show pendingMobileNumber under urn:scim:wso2:schema too, where verifyMobile is always taken"`
	SchemaID   string `koanf:"schema_id" usage:"identity schema of new users; blank for Kratos' default"`
	// InvalidMobile is refuse or skip.
	InvalidMobile string `koanf:"invalid_mobile" usage:"what becomes of a client's number that cannot be read or is not served: refuse (the request), or skip (the number; the rest is written)"`
	// GroupsPath is blank for nowhere.
	GroupsPath string `koanf:"groups_path" usage:"where identities show the names of their groups, such as metadata_public.groups; blank for nowhere"`
	// Mapping is blank for the traits that schemas usually have.
	Mapping           []Attribute   `koanf:"mapping" usage:"which trait keeps which attribute, as JSON; blank for traits of the usual names"`
	OwnersMayNot      []string      `koanf:"owners_may_not" usage:"attributes, or an extension's URN, that users cannot change in their own resource"`
	MaxResults        int           `koanf:"max_results" usage:"users that a list answers with at most"`
	BulkOperations    int           `koanf:"bulk_max_operations" usage:"operations that a bulk request may have"`
	BulkBytes         int           `koanf:"bulk_max_payload_size" usage:"bytes that a bulk request may have"`
	PasswordMinLength int           `koanf:"password_min_length" usage:"characters that a password must have that is set over SCIM"`
	CursorTimeout     time.Duration `koanf:"cursor_timeout" usage:"how long a client may wait before it asks for the next page by cursor"`
	ReconcileInterval time.Duration `koanf:"reconcile_interval" usage:"how often the index of users is compared with Kratos"`
}

// Attribute maps an attribute to a trait.
type Attribute struct {
	Path  string `koanf:"path" usage:"the attribute, such as userName, name.givenName or emails[type eq \"home\"].value"`
	Trait string `koanf:"trait" usage:"the trait, such as name.first or /name/first"`
}

func defaultSCIM() SCIM {
	return SCIM{
		Enabled: true, InvalidMobile: "refuse", MaxResults: 200, BulkOperations: 200, BulkBytes: 1 << 20, ReconcileInterval: 15 * time.Minute, CursorTimeout: time.Hour,
		PasswordMinLength: 8,
		OwnersMayNot: []string{
			"active", "externalId", "userType", "roles", "entitlements", "x509Certificates",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
		},
	}
}

func (c Config) checkSCIM(f *faults) {
	between := func(key string, n, least, most int) {
		f.unless(n >= least && n <= most, "scim."+key, fmt.Sprintf("must be from %d to %d", least, most))
	}
	f.unless(c.SCIM.InvalidMobile == "refuse" || c.SCIM.InvalidMobile == "skip", "scim.invalid_mobile", "must be refuse or skip")
	between("max_results", c.SCIM.MaxResults, 1, 1000)
	between("bulk_max_operations", c.SCIM.BulkOperations, 1, 1000)
	between("bulk_max_payload_size", c.SCIM.BulkBytes, 1024, 16<<20)
	between("password_min_length", c.SCIM.PasswordMinLength, 1, 64)
	f.unless(c.SCIM.ReconcileInterval >= time.Second, "scim.reconcile_interval", "must be at least 1s")
	c.checkGroupsPath(f)
	f.unless(c.SCIM.CursorTimeout >= time.Minute && c.SCIM.CursorTimeout <= 24*time.Hour, "scim.cursor_timeout", "must be from 1m to 24h")
	for i, a := range c.SCIM.Mapping {
		f.unless(a.Path != "", fmt.Sprintf("scim.mapping[%d].path", i), "is missing")
		f.unless(a.Trait != "", fmt.Sprintf("scim.mapping[%d].trait", i), "is missing")
	}
}

// checkGroupsPath refuses traits, which are their owner's to edit, and what Holdline keeps
// something else in.
func (c Config) checkGroupsPath(f *faults) {
	path := c.SCIM.GroupsPath
	part, key, _ := strings.Cut(path, ".")
	f.unless(path == "" || (part == "metadata_public" || part == "metadata_admin") && traitName.MatchString(key), "scim.groups_path",
		"must be metadata_public or metadata_admin, a dot, and a key of letters, digits and underscores: people edit their traits themselves")
	taken := []string{"metadata_public." + c.Kratos.PendingKey, "metadata_admin.scim", "metadata_admin.scim_external_ids"}
	if c.Kratos.PrivilegedKey != "" {
		taken = append(taken, "metadata_admin."+c.Kratos.PrivilegedKey)
	}
	f.unless(!slices.Contains(taken, path), "scim.groups_path", "must not be where Holdline keeps something else")
}
