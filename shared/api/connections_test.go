package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// register plays the connection store.
type register map[tenant.ID]map[string]ingest.Connection

func (r register) Connections(_ context.Context, t tenant.ID) ([]ingest.Connection, error) {
	return slices.SortedFunc(maps.Values(r[t]), func(a, b ingest.Connection) int { return strings.Compare(a.ID, b.ID) }), nil
}

func (r register) Connection(_ context.Context, t tenant.ID, id string) (ingest.Connection, error) {
	c, ok := r[t][id]
	if !ok {
		return c, fault.New(fault.NotFound, "There is no such connection.")
	}
	return c, nil
}

func (r register) CreateConnection(_ context.Context, c ingest.Connection) error {
	if _, ok := r[c.Tenant][c.ID]; ok {
		return fault.New(fault.Conflict, "There is one.")
	}
	if r[c.Tenant] == nil {
		r[c.Tenant] = map[string]ingest.Connection{}
	}
	r[c.Tenant][c.ID] = c
	return nil
}

func (r register) UpdateConnection(_ context.Context, c ingest.Connection) error {
	r[c.Tenant][c.ID] = c
	return nil
}

func (r register) RemoveConnection(_ context.Context, t tenant.ID, id string) error {
	delete(r[t], id)
	return nil
}

func (r register) ConnectionStatus(ctx context.Context, t tenant.ID, id string) (ingest.ConnectionStatus, error) {
	_, err := r.Connection(ctx, t, id)
	return ingest.ConnectionStatus{Parts: []ingest.Part{{Account: "1", Region: "eu-west-1", Service: "ec2", Status: ingest.Denied, Reason: "No right."}}}, err
}

func (register) Readings(context.Context, tenant.ID) ([]ingest.Reading, error) {
	return []ingest.Reading{{Connection: "aws", What: ingest.BillReading, Status: ingest.OK}, {Connection: "aws", What: ingest.TestReading, Status: ingest.Denied}}, nil
}

// vault plays the store of secrets.
type vault struct {
	kept map[string]string
	err  error
}

func (v *vault) Put(_ context.Context, name string, secret []byte) error {
	if v.err == nil {
		v.kept[name] = string(secret)
	}
	return v.err
}

func (v *vault) Delete(_ context.Context, name string) error {
	delete(v.kept, name)
	return v.err
}

func connections() (api.Connections, register, *vault, *machines) {
	r, v, m := register{}, &vault{kept: map[string]string{}}, &machines{runs: map[string]job.Run{}}
	return api.Connections{
		Runs:  api.Runs{Machines: m, Receipts: &receipts{hashes: map[string]string{}, answers: map[string][]byte{}}, NewID: func() string { return "n-1" }},
		Store: r, Secrets: v, Collectors: map[resource.Cloud]string{resource.AWS: "collect-aws"},
	}, r, v, m
}

func asked(method, path, body string) call {
	return call{method: method, path: path, role: tenant.Admin, headers: map[string]string{"Content-Type": "application/json"}, body: []byte(body)}
}

const (
	hidden  = "wJalrXUtnFEMI"
	withKey = `{"id":"main","cloud":"vultr","name":"Production","secret":{"api_key":"` + hidden + `"}}`
	onAWS   = `{"id":"aws","cloud":"aws","name":"Buying","settings":{"role_arn":"arn:aws:iam::123456789012:role/CostAgentReader","limit_usd":"1.5"}}`
)

func TestTheListTellsWhichConnectionsNeedSomebody(t *testing.T) {
	t.Parallel()
	x, _, _, _ := connections()
	asked("POST", "/connections", withKey).send(t, io.Discard, x)
	asked("POST", "/connections", onAWS).send(t, io.Discard, x)
	r := asked("GET", "/connections", "").send(t, io.Discard, x)
	if text := string(r.body); strings.Count(text, `"status":"denied"`) != 1 || strings.Count(text, `"status"`) != 1 {
		t.Errorf("%s; want the one that was tested to say so, and the new one to say nothing", text)
	}
}

func TestAConnectionLivesFromItsCreationToItsRemoval(t *testing.T) {
	t.Parallel()
	x, _, v, _ := connections()
	name := ingest.SecretName(shop, "main")
	for _, step := range []struct {
		call   call
		status int
		answer string // whole, if not empty
	}{
		{asked("POST", "/connections", withKey), 201, `{"id":"main","cloud":"vultr","name":"Production","has_secret":true}`},
		{asked("POST", "/connections", withKey), 409, ""},
		{asked("GET", "/connections/main", ""), 200, `{"id":"main","cloud":"vultr","name":"Production","has_secret":true}`},
		{asked("PUT", "/connections/main", `{"name":"Renamed"}`), 200, `{"id":"main","cloud":"vultr","name":"Renamed","has_secret":true}`},
		{asked("GET", "/connections", ""), 200, `{"items":[{"id":"main","cloud":"vultr","name":"Renamed","has_secret":true}]}`},
		{asked("GET", "/connections/main/status", ""), 200, `{"readings":[],"parts":[{"account":"1","region":"eu-west-1","service":"ec2","status":"denied","reason":"No right."}],"beside":[],"doubled":[]}`},
	} {
		r := step.call.send(t, io.Discard, x)
		if text := strings.TrimSpace(string(r.body)); r.status != step.status || step.answer != "" && text != step.answer {
			t.Errorf("%s %s: %d %s", step.call.method, step.call.path, r.status, text)
		}
	}
	if v.kept[name] != `{"api_key":"`+hidden+`"}` {
		t.Errorf("kept %v", v.kept)
	}
	if r := asked("PUT", "/connections/main", `{"name":"Renamed","secret":{"api_key":"second"}}`).send(t, io.Discard, x); r.status != 200 || v.kept[name] != `{"api_key":"second"}` {
		t.Errorf("a new secret: %d, kept %v", r.status, v.kept)
	}
	if r := asked("DELETE", "/connections/main", "").send(t, io.Discard, x); r.status != http.StatusNoContent || len(v.kept) != 0 {
		t.Errorf("removed: %d %s, kept %v", r.status, r.body, v.kept)
	}
	for _, gone := range []call{asked("GET", "/connections/main", ""), asked("GET", "/connections/main/status", ""), asked("DELETE", "/connections/main", ""), asked("POST", "/connections/main/test", ""), asked("PUT", "/connections/main", `{"name":"x"}`)} {
		if r := gone.send(t, io.Discard, x); r.status != http.StatusNotFound {
			t.Errorf("%s %s of none: %d %s", gone.method, gone.path, r.status, r.body)
		}
	}
}

// Whatever is wrong with a request, neither the answer nor the log repeats the secret in it.
func TestASecretIsNeverShown(t *testing.T) {
	t.Parallel()
	down := fault.Wrap(io.ErrUnexpectedEOF, fault.Unavailable, "The store of credentials cannot be reached; try again in a moment.")
	for name, tc := range map[string]struct {
		body   string
		err    error
		status int
	}{
		"stored":              {withKey, nil, 201},
		"the store is down":   {withKey, down, 503},
		"a misspelt name":     {strings.Replace(withKey, `"secret"`, `"secrets"`, 1), nil, 400},
		"an unknown property": {strings.Replace(withKey, `{"id"`, `{"colour":"red","id"`, 1), nil, 400},
		"a missing property":  {strings.Replace(withKey, `"name":"Production",`, ``, 1), nil, 400},
		"not an object":       {strings.Replace(withKey, `{"api_key":"`+hidden+`"}`, `"`+hidden+`"`, 1), nil, 400},
		"a list":              {strings.Replace(withKey, `{"api_key":"`+hidden+`"}`, `["`+hidden+`"]`, 1), nil, 400},
		"among the settings":  {strings.Replace(withKey, `"secret"`, `"settings"`, 1), nil, 400},
		"as the name":         {strings.Replace(withKey, `"Production"`, `{"a":"`+hidden+`"}`, 1), nil, 400},
		"as the id":           {strings.Replace(withKey, `"main"`, `"`+hidden+`/+="`, 1), nil, 400},
		"no JSON":             {withKey[:len(withKey)-2], nil, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, r, v, _ := connections()
			v.err = tc.err
			var log bytes.Buffer
			got := asked("POST", "/connections", tc.body).send(t, &log, x)
			if got.status != tc.status || strings.Contains(string(got.body), hidden) || strings.Contains(log.String(), hidden) {
				t.Errorf("%d %s\nlog: %s", got.status, got.body, &log)
			}
			if tc.status != 201 && len(r[shop]) != 0 {
				t.Errorf("a connection was left: %v", r)
			}
		})
	}
}

func TestConnectionsAreKeptByAdmins(t *testing.T) {
	t.Parallel()
	x, r, _, _ := connections()
	for _, c := range []call{asked("POST", "/connections", onAWS), asked("PUT", "/connections/aws", `{"name":"x"}`), asked("DELETE", "/connections/aws", "")} {
		c.role = tenant.Approver
		if p := c.send(t, io.Discard, x).problem(t); p.Status != http.StatusForbidden {
			t.Errorf("approver: %s gives %+v, want 403", c.method, p)
		}
	}
	for _, id := range []string{"focus:AWS:1", "../x", "", "a/b"} {
		if p := asked("POST", "/connections", strings.Replace(onAWS, `"aws"`, `"`+id+`"`, 1)).send(t, io.Discard, x).problem(t); p.Status != http.StatusBadRequest {
			t.Errorf("id %q: got %+v, want 400", id, p)
		}
	}
	if len(r) != 0 {
		t.Errorf("saved %v", r)
	}
}

func TestSettingsAreCheckedBeforeTheyAreKept(t *testing.T) {
	t.Parallel()
	x, r, _, _ := connections()
	for settings, location := range map[string]string{
		`{}`: "settings.role_arn", `{"role_arn":"admin"}`: "settings.role_arn", `{"role_arn":"arn:aws:iam::123456789012:role/CostAgentA","colour":"red"}`: "settings.colour",
		`{"role_arn":"arn:aws:iam::123456789012:role/CostAgentA","limit_usd":"much"}`: "settings.limit_usd",
	} {
		p := asked("POST", "/connections", `{"id":"a","cloud":"aws","name":"b","settings":`+settings+`}`).send(t, io.Discard, x).problem(t)
		if p.Status != http.StatusBadRequest || len(p.Errors) != 1 || p.Errors[0].Location != location {
			t.Errorf("%s: got %+v, want %s", settings, p, location)
		}
	}
	if len(r) != 0 {
		t.Errorf("saved %v", r)
	}
}

func TestATestAsksTheCloudSide(t *testing.T) {
	t.Parallel()
	x, r, _, m := connections()
	if a := asked("POST", "/connections", onAWS).send(t, io.Discard, x); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if id := started(t, asked("POST", "/connections/aws/test", "").send(t, io.Discard, x)); id != "check.n-1" {
		t.Errorf("started %s", id)
	}
	var in struct {
		Collector, Connection, Secret string
		Settings                      map[string]string
	}
	if err := json.Unmarshal(m.runs["check/n-1"].Input, &in); err != nil || in.Collector != "collect-aws" || in.Connection != "aws" || in.Settings["limit_usd"] != "1.5" {
		t.Errorf("asked %+v, %v", in, err)
	}
	again := asked("POST", "/connections/aws/test", "")
	again.headers["Idempotency-Key"] = "once"
	if a, b := started(t, again.send(t, io.Discard, x)), started(t, again.send(t, io.Discard, x)); a != b || m.starts != 2 {
		t.Errorf("the same key gives %s and %s after %d starts", a, b, m.starts)
	}
	r[shop]["focus:AWS:1"] = ingest.Connection{Tenant: shop, ID: "focus:AWS:1"}
	r[shop]["gcp"] = ingest.Connection{Tenant: shop, ID: "gcp", Cloud: resource.GCP}
	for _, id := range []string{"focus:AWS:1", "gcp"} {
		if p := asked("POST", "/connections/"+id+"/test", "").send(t, io.Discard, x).problem(t); p.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %+v, want 422", id, p)
		}
	}
}
