package aws

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// Codes of services that mean the same.
var (
	deniedCodes = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "Forbidden", "NotAuthorized"}
	// AWS answers AuthFailure and its like also where the account has not switched the region on.
	unknownCodes = []string{"AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidAccessKeyId",
		"InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException"}
	expiredCodes  = []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
	disabledCodes = []string{"OptInRequired", "RegionDisabledException", "SubscriptionRequiredException"}
)

// translate gives an error of the SDK its fault code. What names the right that the call needs: "ec2:DescribeInstances".
func translate(err error, what string) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Unavailable, "The call %s was given up before AWS answered; try again.", what)
	}
	code, status := codeOf(err), statusOf(err)
	if _, throttled := retry.DefaultThrottleErrorCodes[code]; throttled || status == http.StatusTooManyRequests {
		return fault.Wrap(err, fault.Throttled, "AWS is throttling %s; it is tried again later.", what)
	}
	if slices.Contains(expiredCodes, code) {
		return fault.Wrap(err, fault.Unauthenticated, "The session of the connection's role has ended (%s); the next run opens a new one.", what)
	}
	if fromSTS(err) && (slices.Contains(deniedCodes, code) || slices.Contains(unknownCodes, code)) {
		return fault.Wrap(err, fault.Forbidden, "The connection's role cannot be assumed (sts:AssumeRole). Check that its trust policy names this agent and your tenant id as the external id.")
	}
	switch {
	case slices.Contains(deniedCodes, code):
		return fault.Wrap(err, fault.Forbidden, "The connection's role does not allow %s. Add it to the role's policy.", what)
	case slices.Contains(disabledCodes, code):
		return fault.Wrap(err, fault.Forbidden, "The region or service of %s is switched off for this account.", what)
	case slices.Contains(unknownCodes, code):
		return fault.Wrap(err, fault.Unauthenticated, "AWS does not accept the credentials for %s. The region may be switched off for this account.", what)
	case unanswered(err, status):
		return fault.Wrap(err, fault.Unavailable, "AWS did not answer %s as it should; try again in a moment.", what)
	}
	return fault.Wrap(err, fault.Unprocessable, "AWS refused %s (%s).", what, code)
}

// unanswered reports whether AWS was not reached, was down, or gave an answer that nobody can read.
func unanswered(err error, status int) bool {
	return status == 0 || status >= http.StatusInternalServerError || status < http.StatusMultipleChoices || isServerFault(err)
}

func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

func statusOf(err error) int {
	if r, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return r.HTTPStatusCode()
	}
	return 0
}

func isServerFault(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorFault() == smithy.FaultServer
}

// fromSTS reports whether it was assuming the role that failed, which happens inside of the first call that needs it.
func fromSTS(err error) bool {
	for {
		operation, ok := errors.AsType[*smithy.OperationError](err)
		if !ok {
			return false
		}
		if operation.ServiceID == "STS" {
			return true
		}
		err = operation.Err
	}
}

// statusFor is what an error says about the part that was being read.
func statusFor(err error) ingest.Status {
	switch code := codeOf(err); {
	case err == nil:
		return ingest.OK
	case slices.Contains(disabledCodes, code):
		return ingest.Disabled
	case fault.CodeOf(err) == fault.Forbidden, fault.CodeOf(err) == fault.Unauthenticated:
		return ingest.Denied
	}
	return ingest.Failed
}
