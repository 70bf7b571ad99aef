package smsgateway

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/go-jsonnet/ast"

	"github.com/holdline/holdline/claim"
)

// These are what templates know the kinds of texts by. Kratos' own texts
// are codes; a template that serves notices too asks for the type.
const (
	typeCode   = "verification_code_valid"
	typeNotice = "mobile_number_changed"
)

type object = map[string]any

// bodyData is what Kratos gives the templates of its courier.
func bodyData(m Message) (ast.Node, error) {
	if m.Channel == claim.ChannelWebhook {
		return literal(mailData(m))
	}
	return literal(textData(m))
}

// literal writes a value as jsonnet's parser would: of each text's data it would
// take more time than the template itself.
func literal(value any) (ast.Node, error) {
	switch value := value.(type) {
	case string:
		return literalText(value), nil
	case int:
		return &ast.LiteralNumber{OriginalString: strconv.Itoa(value)}, nil
	case object:
		fields := make(ast.DesugaredObjectFields, 0, len(value))
		for name, inner := range value {
			body, err := literal(inner)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			fields = append(fields, ast.DesugaredObjectField{Name: literalText(name), Body: body, Hide: ast.ObjectFieldInherit})
		}
		return &ast.DesugaredObject{Fields: fields}, nil
	default:
		return nil, fmt.Errorf("a %T has no jsonnet literal", value)
	}
}

func literalText(text string) ast.Node {
	return &ast.LiteralString{Value: strings.ToValidUTF8(text, "\uFFFD"), Kind: ast.StringDouble}
}

// textData is what the templates of the SMS channel get.
func textData(m Message) object {
	kind := typeCode
	data := object{
		"to":                m.To.Reveal(),
		"identity":          object{"id": m.IdentityID},
		"request_url":       "",
		"transient_payload": object{},
	}
	if m.Kind == claim.TextChanged || m.Kind == claim.TextRemoved {
		kind, data["notice"] = typeNotice, string(m.Kind)
	} else {
		data["verification_code"], data["expires_in_minutes"] = m.Code, minutes(m.Validity)
	}
	return object{
		"recipient":       m.To.Reveal(),
		"body":            m.Body,
		"subject":         "",
		"message_type":    "sms",
		"template_type":   kind,
		"request_headers": object{},
		"template_data":   data,
	}
}
