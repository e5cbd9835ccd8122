package gcp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// translate turns an error of the clients into a fault; what was asked for stands in it as the reader knows it: "the
// instances of project ...".
func translate(err error, what string) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Unavailable, "Reading %s from Google Cloud was broken off.", what)
	}
	if answer, ok := errors.AsType[*googleapi.Error](err); ok {
		return ofAnswer(err, answer, what)
	}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil {
		return ofSignIn(err, refused.Response.StatusCode)
	}
	if text := err.Error(); strings.Contains(text, "oauth2/google") || strings.Contains(text, "oauth2:") {
		return ofSignIn(err, signInStatus(text))
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fault.Wrap(err, fault.Unavailable, "Google Cloud's answer about %s could not be read; try again in a moment.", what)
	}
	return fault.Wrap(err, fault.Unavailable, "Google Cloud gave no usable answer to a request for %s; try again in a moment.", what)
}

// signInStatus finds the status in the text of an error of workload identity federation, which has it nowhere else: "status
// code 400: ...". Without one the request was never answered.
func signInStatus(text string) int {
	_, after, found := strings.Cut(text, "status code ")
	if !found || len(after) < 3 {
		return http.StatusServiceUnavailable
	}
	switch after[0] {
	case '4':
		if strings.HasPrefix(after, "429") {
			return http.StatusTooManyRequests
		}
		return http.StatusBadRequest
	default:
		return http.StatusServiceUnavailable
	}
}

func ofSignIn(err error, status int) error {
	switch {
	case status == http.StatusTooManyRequests:
		return fault.Wrap(err, fault.Throttled, "Google's sign-in is busy; try again in a minute.")
	case status >= http.StatusInternalServerError:
		return fault.Wrap(err, fault.Unavailable, "Google's sign-in does not answer; try again in a moment.")
	}
	return fault.Wrap(err, fault.Unauthenticated, "Google refused the sign-in. Check the workload identity provider and who may act as the service account, or the service account's key.")
}

func ofAnswer(err error, answer *googleapi.Error, what string) error {
	switch {
	case has(answer, "bytesBilledLimitExceeded"):
		return fault.Wrap(err, fault.LimitReached, "Reading %s would scan more than BigQuery said it would, so it was stopped. The next run asks anew.", what)
	case answer.Code == http.StatusUnauthorized:
		return fault.Wrap(err, fault.Unauthenticated, "Google Cloud does not accept the connection's identity for %s. Check its service account.", what)
	case answer.Code == http.StatusTooManyRequests, has(answer, append(rateReasons, "quotaExceeded", "dailyLimitExceeded")...):
		return fault.Wrap(err, fault.Throttled, "Google Cloud limits how often %s may be read; try again in a few minutes.", what)
	case isDisabled(err):
		return fault.Wrap(err, fault.Forbidden, "The API for %s is switched off. Enable it in the project.", what)
	case answer.Code == http.StatusForbidden:
		return fault.Wrap(err, fault.Forbidden, "The connection may not read %s. Check the connection to see which permission is missing.", what)
	case answer.Code == http.StatusNotFound:
		return fault.Wrap(err, fault.NotFound, "Google Cloud does not know %s.", what)
	case answer.Code >= http.StatusInternalServerError, answer.Code == http.StatusRequestTimeout:
		return fault.Wrap(err, fault.Unavailable, "Google Cloud cannot give %s at the moment; try again in a few minutes.", what)
	}
	return fault.Wrap(err, fault.Unprocessable, "Google Cloud refused a request for %s.", what)
}

func has(answer *googleapi.Error, reasons ...string) bool {
	return slices.ContainsFunc(answer.Errors, func(e googleapi.ErrorItem) bool { return slices.Contains(reasons, e.Reason) })
}

// isDisabled reports whether an API is switched off in the project, which says nothing about rights.
func isDisabled(err error) bool {
	answer, ok := errors.AsType[*googleapi.Error](err)
	return ok && answer.Code == http.StatusForbidden && (has(answer, "accessNotConfigured") || strings.Contains(answer.Body, "SERVICE_DISABLED"))
}
