package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/holdline/holdline/smsgateway"
)

// amazonSNS has no receipts that could be proven.
var amazonSNS = Type{new: func(c Config) (smsgateway.Gateway, error) {
	s := c.Settings
	o := SNSOptions{
		Region: s["region"], AccessKeyID: s["access_key_id"], SecretAccessKey: s["secret_access_key"],
		SenderID: s["sender_id"], Endpoint: s["endpoint"],
	}
	if o.AccessKeyID == "" { // credentials are where AWS' own tools look for them
		o.AccessKeyID, o.SecretAccessKey = os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
		o.SessionToken = os.Getenv("AWS_SESSION_TOKEN")
	}
	if o.AccessKeyID == "" || o.SecretAccessKey == "" {
		return nil, errors.New("access_key_id: is missing, and so are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	return NewSNS(o, c.Options), nil
}}

// SNSOptions say how to reach Amazon SNS.
type SNSOptions struct {
	Region, AccessKeyID, SecretAccessKey string
	SessionToken                         string // of temporary credentials
	SenderID                             string // blank for the account's own
	Endpoint                             string // the region's if blank
}

// SNS sends texts through Amazon SNS:
// https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html.
type SNS struct {
	publisher  *sns.Client
	client     *http.Client
	attributes map[string]types.MessageAttributeValue
	timeout    time.Duration
}

// NewSNS returns a gateway to SNS. The SDK repeats nothing: the worker does.
func NewSNS(o SNSOptions, h HTTPOptions) *SNS {
	client := h.client()
	options := sns.Options{
		Region: o.Region, HTTPClient: client, Retryer: aws.NopRetryer{}, AppID: "Holdline",
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken),
	}
	if o.Endpoint != "" {
		options.BaseEndpoint = aws.String(o.Endpoint)
	}
	attributes := map[string]types.MessageAttributeValue{"AWS.SNS.SMS.SMSType": snsText("Transactional")}
	if o.SenderID != "" {
		attributes["AWS.SNS.SMS.SenderID"] = snsText(o.SenderID)
	}
	return &SNS{publisher: sns.New(options), client: client, attributes: attributes, timeout: h.timeout()}
}

func snsText(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
}

// Close lets go of idle connections.
func (s *SNS) Close() { s.client.CloseIdleConnections() }

// Send publishes one text; once more if the answer is not understood.
func (s *SNS) Send(ctx context.Context, m smsgateway.Message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return untilUnderstood(ctx, func(ctx context.Context) (string, error) { return s.publish(ctx, m) })
}

func (s *SNS) publish(ctx context.Context, m smsgateway.Message) (string, error) {
	ctx, unclearIfSent := traceSending(ctx)
	out, err := s.publisher.Publish(ctx, &sns.PublishInput{
		PhoneNumber: aws.String(m.To.Unmasked()), Message: aws.String(m.Body), MessageAttributes: s.attributes,
	})
	if err != nil {
		return "", snsError(err, unclearIfSent)
	}
	if aws.ToString(out.MessageId) == "" {
		return "", answer{}.unsure()
	}
	return *out.MessageId, nil
}

// snsError keeps what the SDK says to itself: it may repeat the number.
func snsError(err error, unclearIfSent func(error) error) error {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() == 0 {
		return unclearIfSent(describeTransport(err))
	}
	a := answer{status: response.HTTPStatusCode(), header: response.Response.Header}
	switch {
	case a.ok() && errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", smsgateway.ErrUnclear, describeTransport(err))
	case a.ok():
		return a.unsure()
	}
	var fault smithy.APIError
	if errors.As(err, &fault) {
		if c := snsClass(fault.ErrorCode()); c != unknown {
			return a.classify(c, "the provider answers "+fault.ErrorCode())
		}
	}
	return a.byStatus()
}

// snsClass knows the codes of
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and of
// https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html.
func snsClass(code string) class {
	switch code {
	case "Throttled", "Throttling", "ThrottlingException", "InternalError", "InternalFailure", "ServiceUnavailable":
		return transient
	case "AuthorizationError", "AccessDenied", "AccessDeniedException", "InvalidSecurity", "InvalidClientTokenId",
		"SignatureDoesNotMatch", "IncompleteSignature", "UnrecognizedClientException", "ExpiredToken", "ExpiredTokenException",
		"MissingAuthenticationToken", "NotAuthorized", "OptInRequired", "RequestExpired":
		return refusesAccount
	case "InvalidParameter", "ParameterValueInvalid", "ValidationError", "ValidationException", "OptedOut", "EndpointDisabled", "NotFound":
		return refusesMessage
	}
	return unknown
}

// CheckAccount asks for the account's settings for texts, as [HTTP.CheckAccount] does:
// https://docs.aws.amazon.com/sns/latest/api/API_GetSMSAttributes.html. Who may
// publish need not be let see them.
func (s *SNS) CheckAccount(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	_, err := s.publisher.GetSMSAttributes(ctx, &sns.GetSMSAttributesInput{})
	var response *smithyhttp.ResponseError
	if err != nil && (!errors.As(err, &response) || response.HTTPStatusCode() == 0) {
		return describeTransport(err)
	}
	var fault smithy.APIError
	if !errors.As(err, &fault) {
		return nil // an answer of any kind shows that it is reached
	}
	switch code := fault.ErrorCode(); code {
	case "InvalidClientTokenId", "SignatureDoesNotMatch", "IncompleteSignature", "UnrecognizedClientException", "InvalidSecurity",
		"ExpiredToken", "ExpiredTokenException", "MissingAuthenticationToken":
		return fmt.Errorf("%w: it answers %s", smsgateway.ErrAccount, code)
	}
	return nil
}
