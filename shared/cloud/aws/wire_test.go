package aws

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// wire answers for services as their wire protocols have it: JSON by "service.Operation", XML by its Action. STS always lets the
// role be assumed. What has no answer is a failure of the test.
type wire struct {
	t       *testing.T
	answers map[string]func(in object, region string) any // text is XML, all else JSON; a refusal refuses
	rest    any                                           // what all other calls are answered with

	mu    sync.Mutex
	asked map[string]int
}

// refusal is an error that a service answers with.
type refusal struct {
	status int
	code   string
}

func (w *wire) start() string {
	w.t.Helper()
	w.asked = map[string]int{}
	s := httptest.NewServer(w)
	w.t.Cleanup(s.Close)
	return s.URL
}

func (w *wire) count(operation string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[operation]
}

func (w *wire) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body := peek(r)
	scope := append(strings.Split(r.Header.Get("Authorization"), "/"), "", "", "", "")
	region, service := scope[2], scope[3]
	form, _ := url.ParseQuery(body)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case form.Get("Action") != "":
		operation = form.Get("Action")
	case operation == "":
		operation = strings.Trim(r.URL.Path, "/")
	}
	in := object{}
	if json.Unmarshal([]byte(body), &in) != nil {
		for key := range form {
			in[key] = form.Get(key)
		}
	}
	if service == "sts" && w.answers["sts."+operation] == nil {
		fmt.Fprint(out, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
		return
	}
	w.mu.Lock()
	w.asked[service+"."+operation]++
	w.mu.Unlock()
	answer, ok := w.answers[service+"."+operation]
	switch {
	case !ok && w.rest != nil:
		w.write(out, service, w.rest)
		return
	case !ok:
		w.t.Errorf("nobody expected %s.%s", service, operation)
		out.WriteHeader(http.StatusTeapot)
		return
	}
	w.write(out, service, answer(in, region))
}

func (w *wire) write(out http.ResponseWriter, service string, answer any) {
	switch a := answer.(type) {
	case string:
		out.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(out, a)
	case refusal:
		out.WriteHeader(a.status)
		switch service {
		case "ec2":
			fmt.Fprint(out, ec2Error(a.code))
		case "s3":
			fmt.Fprint(out, `<Error><Code>`+a.code+`</Code><Message>refused</Message></Error>`)
		case "rds", "elasticloadbalancing", "autoscaling", "monitoring":
			fmt.Fprint(out, `<ErrorResponse><Error><Type>Sender</Type><Code>`+a.code+`</Code><Message>refused</Message></Error></ErrorResponse>`)
		default:
			_ = json.NewEncoder(out).Encode(object{"__type": a.code, "message": "refused", "code": a.code})
		}
	default:
		out.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(out).Encode(a)
	}
}

// says answers the same to every question.
func says(answer any) func(object, string) any { return func(object, string) any { return answer } }

// twoRegions are the regions of the account, one of them off.
const twoRegions = `<DescribeRegionsResponse><regionInfo><item><regionName>us-east-1</regionName><optInStatus>opt-in-not-required</optInStatus></item><item><regionName>eu-west-1</regionName><optInStatus>opt-in-not-required</optInStatus></item><item><regionName>af-south-1</regionName><optInStatus>not-opted-in</optInStatus></item></regionInfo></DescribeRegionsResponse>`
