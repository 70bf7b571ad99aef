package provider

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/google/go-jsonnet/ast"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
)

// These are what templates know the kinds of texts by. Kratos' own texts
// are codes; a template that serves notices too asks for the type.
const (
	typeCode   = "verification_code_valid"
	typeNotice = "mobile_number_changed"
)

type object = map[string]any

// filled is a message, and what the gateway's settings add to it.
type filled struct {
	smsgateway.Message
	TemplateID string // the provider's name of the registered text; may be blank
	Data       object // the operator's values
}

// bodyData is what Kratos gives the templates of its courier.
func bodyData(m filled) (ast.Node, error) {
	if m.Channel == message.ChannelWebhook {
		return literal(mailData(m.Message))
	}
	return literal(textData(m))
}

// literal writes a value as jsonnet's parser would: of each text's data it would
// take more time than the template itself.
func literal(value any) (ast.Node, error) {
	switch value := value.(type) {
	case nil:
		return &ast.LiteralNull{}, nil
	case bool:
		return &ast.LiteralBoolean{Value: value}, nil
	case string:
		return literalText(value), nil
	case int:
		return &ast.LiteralNumber{OriginalString: strconv.Itoa(value)}, nil
	case json.Number:
		return literalNumber(value.String()), nil
	case []any:
		elements := make([]ast.CommaSeparatedExpr, 0, len(value))
		for i, inner := range value {
			element, err := literal(inner)
			if err != nil {
				return nil, fmt.Errorf("%d: %w", i, err)
			}
			elements = append(elements, ast.CommaSeparatedExpr{Expr: element})
		}
		return &ast.Array{Elements: elements}, nil
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

// exactNumbers end where jsonnet's numbers, which are doubles, begin to leave
// some out.
const exactNumbers = 1 << 53

// literalNumber keeps the digits of a number that is too large for jsonnet, such
// as an id, as text.
func literalNumber(text string) ast.Node {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(value) >= exactNumbers {
		return literalText(text)
	}
	return &ast.LiteralNumber{OriginalString: text}
}

func literalText(text string) ast.Node {
	return &ast.LiteralString{Value: strings.ToValidUTF8(text, "\uFFFD"), Kind: ast.StringDouble}
}

// textData is what the templates of the SMS channel get, and what Kratos does not
// know of: the text's id, the language that it is written in, and what the
// operator has set for the gateway.
func textData(m filled) object {
	kind := typeCode
	data := object{
		"to":                m.To.Unmasked(),
		"identity":          object{"id": m.IdentityID},
		"request_url":       "",
		"transient_payload": object{},
	}
	if m.Kind == message.TextChanged || m.Kind == message.TextRemoved {
		kind, data["notice"], data["link"] = typeNotice, string(m.Kind), m.Link
	} else {
		data["verification_code"], data["expires_in_minutes"] = m.Code, smsgateway.Minutes(m.Validity)
	}
	return object{
		"recipient":       m.To.Unmasked(),
		"body":            m.Body,
		"subject":         "",
		"message_type":    "sms",
		"template_type":   kind,
		"request_headers": object{},
		"template_data":   data,
		"id":              m.ID,
		"language":        m.Written,
		"template_id":     m.TemplateID,
		"data":            m.Data,
	}
}
