package azure

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// translate turns an error of the SDK into a fault; what was asked for stands in it as the reader knows it: "the costs of
// subscription ...".
func translate(err error, what string) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if unreached, ok := errors.AsType[*url.Error](err); ok {
		err = unreached.Err // without the address, which may hold what opens a file
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Unavailable, "Reading %s from Azure was broken off.", what)
	}
	if refused, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		if refused.RawResponse == nil || refused.RawResponse.StatusCode >= http.StatusInternalServerError {
			return fault.Wrap(err, fault.Unavailable, "Microsoft Entra does not answer; try again in a moment.")
		}
		if refused.RawResponse.StatusCode == http.StatusTooManyRequests {
			return fault.Wrap(err, fault.Throttled, "Microsoft Entra is busy; try again in a minute.")
		}
		return fault.Wrap(err, fault.Unauthenticated, "Microsoft Entra refused the sign-in. Check the application's id and directory, and its client secret or federated credential.")
	}
	if answer, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return ofStatus(err, answer, what)
	}
	return fault.Wrap(err, fault.Unavailable, "Azure gave no usable answer to a request for %s; try again in a moment.", what)
}

func ofStatus(err error, answer *azcore.ResponseError, what string) error {
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		return fault.Wrap(err, fault.Unauthenticated, "Azure does not accept the connection's identity for %s. Check its application and directory.", what)
	case http.StatusForbidden:
		return fault.Wrap(err, fault.Forbidden, "The connection may not read %s. Check the connection to see which role is missing.", what)
	case http.StatusNotFound:
		return fault.Wrap(err, fault.NotFound, "Azure does not know %s.", what)
	case http.StatusTooManyRequests:
		return fault.Wrap(err, fault.Throttled, "Azure limits how often %s may be read; try again in a few minutes.", what)
	}
	if answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusRequestTimeout {
		return fault.Wrap(err, fault.Unavailable, "Azure cannot give %s at the moment; try again in a few minutes.", what)
	}
	if answer.ErrorCode != "" {
		return fault.Wrap(err, fault.Unprocessable, "Azure refused a request for %s: %s.", what, answer.ErrorCode)
	}
	return fault.Wrap(err, fault.Unprocessable, "Azure refused a request for %s.", what)
}
