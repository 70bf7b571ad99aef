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

// amazonSNS reports delivery to CloudWatch alone.
var amazonSNS = Type{new: newSNS}

// snsGateway sends texts through Amazon SNS:
// https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html.
type snsGateway struct {
	publisher  *sns.Client
	client     *http.Client
	attributes map[string]types.MessageAttributeValue
	timeout    time.Duration
}

// newSNS takes credentials from where AWS' own tools look if none are set. The SDK
// repeats nothing: the worker does.
func newSNS(c Config) (smsgateway.Gateway, error) {
	s := c.Settings
	keyID, secret, token := s["access_key_id"], s["secret_access_key"], ""
	if keyID == "" {
		keyID, secret, token = os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")
	}
	if keyID == "" || secret == "" {
		return nil, errors.New("access_key_id: is missing, and so are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	client := c.Options.client()
	options := sns.Options{
		Region: s["region"], HTTPClient: client, Retryer: aws.NopRetryer{}, AppID: "Holdline",
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, token),
	}
	if endpoint := s["endpoint"]; endpoint != "" {
		options.BaseEndpoint = aws.String(endpoint)
	}
	attributes := map[string]types.MessageAttributeValue{"AWS.SNS.SMS.SMSType": snsText("Transactional")}
	if sender := s["sender_id"]; sender != "" {
		attributes["AWS.SNS.SMS.SenderID"] = snsText(sender)
	}
	return &snsGateway{publisher: sns.New(options), client: client, attributes: attributes, timeout: c.Options.timeout()}, nil
}

func snsText(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
}

// Close lets go of idle connections.
func (s *snsGateway) Close() { s.client.CloseIdleConnections() }

// Send publishes one text; once more if the answer is not understood.
func (s *snsGateway) Send(ctx context.Context, m smsgateway.Message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return untilUnderstood(ctx, func(ctx context.Context) (string, error) { return s.publish(ctx, m) })
}

func (s *snsGateway) publish(ctx context.Context, m smsgateway.Message) (string, error) {
	ctx, unclearIfSent := traceSending(ctx)
	out, err := s.publisher.Publish(ctx, &sns.PublishInput{
		PhoneNumber: aws.String(m.To.Unmasked()), Message: aws.String(m.Body), MessageAttributes: s.attributes,
	})
	if err != nil {
		return "", snsError(err, unclearIfSent)
	}
	if aws.ToString(out.MessageId) == "" {
		return "", answer{}.notUnderstood()
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
		return a.notUnderstood()
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
func (s *snsGateway) CheckAccount(ctx context.Context) error {
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
