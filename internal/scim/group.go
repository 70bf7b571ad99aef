package scim

// MembersAttribute is the attribute of a group that lists who is in it.
const MembersAttribute = "members"

// Group is the resource of RFC 7643, section 4.2. Its members are users: no group is
// within another.
func Group() Resource {
	return Resource{
		Name: "Group", Endpoint: "/Groups",
		Core: Schema{
			ID: GroupSchema, Name: "Group", Description: "Group",
			Attributes: []Attribute{
				{
					Name: "displayName", Type: String, Required: true, Uniqueness: UniqueServer,
					Description: "The group's name, unique among all groups.",
				},
				{
					Name: MembersAttribute, Type: Complex, MultiValued: true, Description: "The users in the group.",
					Sub: []Attribute{
						{Name: "value", Type: String, CaseExact: true, Mutability: Immutable, Description: "The user's id."},
						{
							Name: "$ref", Type: Reference, CaseExact: true, Mutability: Immutable, ReferenceTypes: []string{"User"},
							Description: "The user's URL.",
						},
						{
							Name: "type", Type: String, Mutability: Immutable, CanonicalValues: []string{"User"},
							Description: "The type of the member's resource.",
						},
					},
				},
			},
		},
	}
}
