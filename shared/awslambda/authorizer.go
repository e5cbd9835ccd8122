package awslambda

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// The members of the context that the authorizer hands to API Gateway, and HTTP reads.
const (
	tenantKey  = "tenant"
	subjectKey = "subject"
	roleKey    = "role"
)

// KeyHeader is the header that carries the API key.
const KeyHeader = "X-Api-Key"

// Keys finds whose a key is; fault.Unauthenticated when it is nobody's.
type Keys interface {
	Lookup(ctx context.Context, apiKey string) (tenant.Principal, error)
}

// Authorizer answers the REQUEST authorizer events of an API Gateway REST API. An unknown key is refused with
// "Unauthorized", which API Gateway turns into 401. The policy allows the whole stage, because API Gateway keeps it for other
// paths of the same key; what the role may do is checked by each operation.
func Authorizer(log *slog.Logger, keys Keys) Handler {
	return raw(func(ctx context.Context, event []byte) ([]byte, error) {
		var e events.APIGatewayCustomAuthorizerRequestTypeRequest
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, reported(ctx, log, "authorizer", fault.Wrap(err, fault.Invalid, "The event is not one of an API Gateway authorizer."))
		}
		p, err := keys.Lookup(ctx, keyOf(e))
		switch {
		case fault.CodeOf(err) == fault.Unauthenticated && err != nil:
			return nil, messages.InvokeResponse_Error{Type: "Unauthorized", Message: "Unauthorized"}
		case err != nil:
			return nil, reported(ctx, log, "authorizer", err)
		}
		return json.Marshal(events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: p.Subject,
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
				Version: "2012-10-17",
				Statement: []events.IAMPolicyStatement{{
					Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{stage(e.MethodArn)},
				}},
			},
			Context: map[string]any{tenantKey: string(p.Tenant), subjectKey: p.Subject, roleKey: string(p.Role)},
		})
	})
}

func keyOf(e events.APIGatewayCustomAuthorizerRequestTypeRequest) string {
	for name, value := range e.Headers {
		if strings.EqualFold(name, KeyHeader) {
			return value
		}
	}
	return ""
}

// stage widens "arn:aws:execute-api:region:account:api/stage/GET/path" to everything of that stage.
func stage(methodARN string) string {
	parts := strings.SplitN(methodARN, "/", 3)
	if len(parts) < 3 {
		return methodARN
	}
	return parts[0] + "/" + parts[1] + "/*"
}
