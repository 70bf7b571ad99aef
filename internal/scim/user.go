package scim

import "slices"

// MobilePath is the attribute whose number is verified.
const MobilePath = `phoneNumbers[type eq "mobile"].value`

// User is the resource of RFC 7643, section 4.1, with extensions such as
// [Enterprise] and [WSO2]. The latter is taken from clients also where it is not
// shown, since it asks for a verification.
func User(extensions ...Schema) Resource {
	if !slices.ContainsFunc(extensions, func(s Schema) bool { return s.ID == WSO2Schema }) {
		unlisted := WSO2()
		unlisted.Unlisted = true
		extensions = append(slices.Clone(extensions), unlisted)
	}
	return Resource{
		Name: "User", Endpoint: "/Users",
		Core: Schema{
			ID: UserSchema, Name: "User", Description: "User Account",
			Attributes: append(userSingular(), userPlural()...),
		},
		Extensions: extensions,
	}
}

// text is an attribute with a string of no meaning to the server.
func text(name, description string) Attribute {
	return Attribute{Name: name, Type: String, Description: description}
}

// userSingular are the attributes of section 4.1.1.
func userSingular() []Attribute {
	return []Attribute{
		{
			Name: "userName", Type: String, Required: true, Uniqueness: UniqueServer,
			Description: "The name by which the user signs in, unique among all users.",
		},
		{
			Name: "name", Type: Complex, Description: "The components of the user's name.",
			Sub: []Attribute{
				text("formatted", "The full name, formatted for display."),
				text("familyName", "The family name, or last name."),
				text("givenName", "The given name, or first name."),
				text("middleName", "The middle name."),
				text("honorificPrefix", "The title, such as Ms."),
				text("honorificSuffix", "The suffix, such as III."),
			},
		},
		text("displayName", "The name to show to others."),
		text("nickName", "The casual way to address the user."),
		{
			Name: "profileUrl", Type: Reference, CaseExact: true, ReferenceTypes: []string{"external"},
			Description: "A page about the user.",
		},
		text("title", "The user's title, such as Vice President."),
		text("userType", "The relation between organization and user, such as Contractor."),
		text("preferredLanguage", "The preferred languages, as in the header Accept-Language."),
		text("locale", "The default location for currency, dates and numbers, such as en-US."),
		text("timezone", "The time zone, such as America/Los_Angeles."),
		{Name: "active", Type: Boolean, Assigned: true, Description: "Whether the user may sign in."},
		{
			Name: "password", Type: String, CaseExact: true, Mutability: WriteOnly, Returned: ReturnedNever,
			Description: "The clear-text password, to be set or changed.",
		},
	}
}

// userPlural are the attributes of section 4.1.2.
func userPlural() []Attribute {
	return []Attribute{
		plural("emails", "E-mail addresses of the user.", text("value", "An e-mail address."), "work", "home", "other"),
		phoneNumbers(),
		plural("ims", "Instant messaging addresses of the user.", text("value", "An instant messaging address."),
			"aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
		plural("photos", "URLs of photos of the user.", Attribute{
			Name: "value", Type: Reference, CaseExact: true, ReferenceTypes: []string{"external"},
			Description: "The URL of a photo.",
		}, "photo", "thumbnail"),
		addresses(),
		groups(),
		plural("entitlements", "Entitlements that the user has.", text("value", "An entitlement.")),
		plural("roles", "Roles that the user has.", text("value", "A role.")),
		plural("x509Certificates", "Certificates issued to the user.", Attribute{
			Name: "value", Type: Binary, CaseExact: true, Description: "A DER-encoded X.509 certificate.",
		}),
	}
}

// plural is a multi-valued attribute with the sub-attributes of section 2.4.
func plural(name, description string, value Attribute, types ...string) Attribute {
	kind := text("type", "What the value is for.")
	kind.CanonicalValues = types
	return Attribute{
		Name: name, Type: Complex, MultiValued: true, Description: description,
		Sub: []Attribute{value, text("display", "A name of the value, for display."), kind, primary()},
	}
}

// phoneNumbers have one of the type mobile at most: it is the number that is
// verified.
func phoneNumbers() Attribute {
	a := plural("phoneNumbers", "Phone numbers of the user.", text("value", "A phone number."),
		"work", "home", "mobile", "fax", "pager", "other")
	a.Single = "mobile"
	return a
}

func primary() Attribute {
	return Attribute{Name: "primary", Type: Boolean, Description: "Whether this is the preferred value. At most one is."}
}

func addresses() Attribute {
	kind := text("type", "What the address is for.")
	kind.CanonicalValues = []string{"work", "home", "other"}
	return Attribute{
		Name: "addresses", Type: Complex, MultiValued: true, Description: "Postal addresses of the user.",
		Sub: []Attribute{
			text("formatted", "The full address, formatted for display or a label."),
			text("streetAddress", "Street, house number, and what else comes before the city."),
			text("locality", "The city."),
			text("region", "The state or region."),
			text("postalCode", "The postal code."),
			text("country", "The country, an ISO 3166-1 alpha-2 code."),
			kind, primary(),
		},
	}
}

// groups are read only: groups are changed at the groups.
func groups() Attribute {
	kind := readOnly(text("type", "Whether the membership is direct."))
	kind.CanonicalValues = []string{"direct", "indirect"}
	return readOnly(Attribute{
		Name: "groups", Type: Complex, MultiValued: true, Description: "Groups that the user belongs to.",
		Sub: []Attribute{
			readOnly(text("value", "The group's id.")),
			readOnly(Attribute{
				Name: "$ref", Type: Reference, CaseExact: true, ReferenceTypes: []string{"User", "Group"},
				Description: "The group's URL.",
			}),
			readOnly(text("display", "The group's name.")),
			kind,
		},
	})
}

func readOnly(a Attribute) Attribute {
	a.Mutability = ReadOnly
	return a
}

// Enterprise is the extension of RFC 7643, section 4.3, with the attributes of a
// held-back mobile number.
func Enterprise() Schema {
	return Schema{
		ID: EnterpriseSchema, Name: "EnterpriseUser", Description: "Enterprise User",
		Attributes: append([]Attribute{
			text("employeeNumber", "The identifier that the organization gave the user."),
			text("costCenter", "The cost center."),
			text("organization", "The organization."),
			text("division", "The division."),
			text("department", "The department."),
			{
				Name: "manager", Type: Complex, Description: "The user's manager.",
				Sub: []Attribute{
					text("value", "The manager's id."),
					{
						Name: "$ref", Type: Reference, CaseExact: true, ReferenceTypes: []string{"User"},
						Description: "The manager's URL.",
					},
					readOnly(text("displayName", "The manager's name.")),
				},
			},
		}, heldBack()...),
	}
}

// WSO2 is the schema under which clients of WSO2 Identity Server know a held-back
// mobile number.
func WSO2() Schema {
	return Schema{
		ID: WSO2Schema, Name: "WSO2User", Description: "Mobile number verification", Attributes: heldBack(),
	}
}

func heldBack() []Attribute {
	return []Attribute{
		readOnly(text("pendingMobileNumber", "The mobile number that waits for its verification.")),
		{
			Name: "verifyMobile", Type: Boolean, AnyValue: true, Mutability: WriteOnly, Returned: ReturnedNever,
			Description: "Whether this request's mobile number takes effect only when it is verified.",
		},
	}
}
