package scim

import "cmp"

// The schemas of the documents by which clients find out what a server can do
// (RFC 7643, section 8.7.2), and of the messages (RFC 7644, section 8.2).
const (
	ServiceProviderConfigSchema = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	ResourceTypeSchema          = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	SchemaSchema                = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	PatchOpSchema               = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// Meta is a discovery document's attribute meta.
type Meta struct {
	ResourceType string `json:"resourceType"`
	Location     string `json:"location,omitempty"`
}

// ServiceProviderConfig says which parts of the protocol a server has (RFC 7643,
// section 5).
type ServiceProviderConfig struct {
	Schemas          []string               `json:"schemas"`
	DocumentationURI string                 `json:"documentationUri,omitempty"`
	Patch            Supported              `json:"patch"`
	Bulk             BulkSupport            `json:"bulk"`
	Filter           FilterSupport          `json:"filter"`
	ChangePassword   Supported              `json:"changePassword"`
	Sort             Supported              `json:"sort"`
	ETag             Supported              `json:"etag"`
	Pagination       *PaginationSupport     `json:"pagination,omitempty"`
	Authentication   []AuthenticationScheme `json:"authenticationSchemes"`
	Meta             Meta                   `json:"meta"`
}

// NewServiceProviderConfig returns one that says PATCH, and otherwise nothing yet.
// Base is the service's URL without a slash at its end.
func NewServiceProviderConfig(base string) ServiceProviderConfig {
	return ServiceProviderConfig{
		Schemas:        []string{ServiceProviderConfigSchema},
		Patch:          Supported{true},
		Authentication: []AuthenticationScheme{},
		Meta:           Meta{"ServiceProviderConfig", base + "/ServiceProviderConfig"},
	}
}

// Supported says whether there is something.
type Supported struct {
	Supported bool `json:"supported"`
}

// BulkSupport says how large bulk requests may be.
type BulkSupport struct {
	Supported      bool `json:"supported"`
	MaxOperations  int  `json:"maxOperations"`
	MaxPayloadSize int  `json:"maxPayloadSize"` // bytes
}

// FilterSupport says how many resources a list answers with at most.
type FilterSupport struct {
	Supported  bool `json:"supported"`
	MaxResults int  `json:"maxResults"`
}

// PaginationSupport says how lists are read by the page (RFC 9865, section 4).
type PaginationSupport struct {
	Cursor          bool   `json:"cursor"`
	Index           bool   `json:"index"`
	Default         string `json:"defaultPaginationMethod"` // cursor or index
	DefaultPageSize int    `json:"defaultPageSize"`
	MaxPageSize     int    `json:"maxPageSize"`
	CursorTimeout   int    `json:"cursorTimeout"` // seconds
}

// AuthenticationScheme is one way to sign in. Type is one of oauth, oauth2,
// oauthbearertoken, httpbasic and httpdigest.
type AuthenticationScheme struct {
	Type             string `json:"type"`
	Name             string `json:"name"`
	Description      string `json:"description"`
	SpecURI          string `json:"specUri,omitempty"`
	DocumentationURI string `json:"documentationUri,omitempty"`
	Primary          bool   `json:"primary,omitempty"`
}

// ResourceTypeDocument describes a resource's type (RFC 7643, section 6).
type ResourceTypeDocument struct {
	Schemas          []string          `json:"schemas"`
	ID               string            `json:"id"`
	Name             string            `json:"name"`
	Description      string            `json:"description,omitempty"`
	Endpoint         string            `json:"endpoint"`
	Schema           string            `json:"schema"`
	SchemaExtensions []SchemaExtension `json:"schemaExtensions,omitempty"`
	Meta             Meta              `json:"meta"`
}

// SchemaExtension is one that resources of a type may have.
type SchemaExtension struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}

// Document describes the resource's type. Base is the service's URL.
func (r Resource) Document(base string) ResourceTypeDocument {
	document := ResourceTypeDocument{
		Schemas: []string{ResourceTypeSchema},
		ID:      r.Name, Name: r.Name, Description: r.Core.Description,
		Endpoint: r.Endpoint, Schema: r.Core.ID,
		Meta: Meta{"ResourceType", base + "/ResourceTypes/" + r.Name},
	}
	for _, s := range r.Listed()[1:] {
		document.SchemaExtensions = append(document.SchemaExtensions, SchemaExtension{Schema: s.ID})
	}
	return document
}

// SchemaDocument describes a schema (RFC 7643, section 7).
type SchemaDocument struct {
	Schemas     []string            `json:"schemas"`
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	Description string              `json:"description"`
	Attributes  []AttributeDocument `json:"attributes"`
	Meta        Meta                `json:"meta"`
}

// AttributeDocument describes an attribute, with the defaults of its definition
// spelled out. Case matters with texts only.
type AttributeDocument struct {
	Name            string              `json:"name"`
	Type            Type                `json:"type"`
	MultiValued     bool                `json:"multiValued"`
	Description     string              `json:"description"`
	Required        bool                `json:"required"`
	CaseExact       *bool               `json:"caseExact,omitempty"`
	CanonicalValues []string            `json:"canonicalValues,omitempty"`
	Mutability      Mutability          `json:"mutability"`
	Returned        Returned            `json:"returned"`
	Uniqueness      Uniqueness          `json:"uniqueness"`
	ReferenceTypes  []string            `json:"referenceTypes,omitempty"`
	SubAttributes   []AttributeDocument `json:"subAttributes,omitempty"`
}

// Document describes the schema. Base is the service's URL.
func (s Schema) Document(base string) SchemaDocument {
	return SchemaDocument{
		Schemas: []string{SchemaSchema},
		ID:      s.ID, Name: s.Name, Description: s.Description,
		Attributes: attributeDocuments(s.Attributes),
		Meta:       Meta{"Schema", base + "/Schemas/" + s.ID},
	}
}

func attributeDocuments(attributes []Attribute) []AttributeDocument {
	var documents []AttributeDocument
	for _, a := range attributes {
		document := AttributeDocument{
			Name: a.Name, Type: a.Type, MultiValued: a.MultiValued, Description: a.Description, Required: a.Required,
			CanonicalValues: a.CanonicalValues,
			Mutability:      cmp.Or(a.Mutability, ReadWrite),
			Returned:        cmp.Or(a.Returned, ReturnedDefault),
			Uniqueness:      cmp.Or(a.Uniqueness, UniqueNone),
			ReferenceTypes:  a.ReferenceTypes,
			SubAttributes:   attributeDocuments(a.Sub),
		}
		switch a.Type {
		case String, Reference, Binary:
			document.CaseExact = &a.CaseExact
		case Boolean, Decimal, Integer, DateTime, Complex:
		}
		documents = append(documents, document)
	}
	return documents
}
