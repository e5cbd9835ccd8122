package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// ConnectionStore keeps connections.
type ConnectionStore interface {
	Connections(ctx context.Context, t tenant.ID) ([]ingest.Connection, error)
	// Connection, UpdateConnection, RemoveConnection and ConnectionStatus fail with fault.NotFound when there is none with the ID.
	Connection(ctx context.Context, t tenant.ID, id string) (ingest.Connection, error)
	// CreateConnection fails with fault.Conflict when there is one with the ID.
	CreateConnection(ctx context.Context, c ingest.Connection) error
	// UpdateConnection changes all but the cloud.
	UpdateConnection(ctx context.Context, c ingest.Connection) error
	RemoveConnection(ctx context.Context, t tenant.ID, id string) error
	ConnectionStatus(ctx context.Context, t tenant.ID, id string) (ingest.ConnectionStatus, error)
	// Readings tells how the last attempt went at each thing that was read, of all connections.
	Readings(ctx context.Context, t tenant.ID) ([]ingest.Reading, error)
}

// SecretWriter keeps credentials under a name. It cannot read them.
type SecretWriter interface {
	Put(ctx context.Context, name string, secret []byte) error
	// Delete does nothing when there is none.
	Delete(ctx context.Context, name string) error
}

// Connections are the sources of bills.
type Connections struct {
	Runs

	Store      ConnectionStore
	Secrets    SecretWriter
	Collectors map[resource.Cloud]string // cloud to the function that reads it
}

const connectionsTag = "Connections"

// Register adds the operations.
func (x Connections) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "list-connections", Method: http.MethodGet, Path: "/connections", Tags: []string{connectionsTag},
		Summary: "List the sources of bills, those derived from uploads included"}, tenant.Viewer, x.list)
	operation(a, huma.Operation{OperationID: "create-connection", Method: http.MethodPost, Path: "/connections", Tags: []string{connectionsTag}, DefaultStatus: http.StatusCreated, Metadata: map[string]any{confidential: true},
		Summary:     "Register a source of bills",
		Description: "What is sent as secret is stored under lock and key and never shown again, by no operation."}, tenant.Admin, x.create)
	operation(a, huma.Operation{OperationID: "get-connection", Method: http.MethodGet, Path: "/connections/{id}", Tags: []string{connectionsTag},
		Summary: "Read one connection"}, tenant.Viewer, x.get)
	operation(a, huma.Operation{OperationID: "update-connection", Method: http.MethodPut, Path: "/connections/{id}", Tags: []string{connectionsTag}, Metadata: map[string]any{confidential: true},
		Summary: "Change name and settings of a connection, and its secret where one is sent"}, tenant.Admin, x.update)
	operation(a, huma.Operation{OperationID: "delete-connection", Method: http.MethodDelete, Path: "/connections/{id}", Tags: []string{connectionsTag},
		Summary:     "Remove a connection with its secret",
		Description: "It is read no more. The bills that came through it stay."}, tenant.Admin, x.remove)
	starter(a, huma.Operation{OperationID: "test-connection", Method: http.MethodPost, Path: "/connections/{id}/test", Tags: []string{connectionsTag},
		Summary:     "Ask the cloud which rights a connection lacks",
		Description: "The result of the run tells: missing lists the rights by their provider's names, and is empty when all is well. The connection's status keeps it."}, tenant.Operator, x.test)
	operation(a, huma.Operation{OperationID: "get-connection-status", Method: http.MethodGet, Path: "/connections/{id}/status", Tags: []string{connectionsTag},
		Summary: "Tell how reading a connection went: each bill, the inventory, each part of it and of what is read beside it, what reading cost, and the last test"}, tenant.Viewer, x.status)
}

type connectionView struct {
	ID        string            `json:"id"`
	Cloud     resource.Cloud    `json:"cloud,omitempty" doc:"Empty: fed by uploads only."`
	Name      string            `json:"name"`
	Settings  map[string]string `json:"settings,omitempty" doc:"Where to read."`
	HasSecret bool              `json:"has_secret" doc:"Whether credentials are stored."`
	Status    ingest.Status     `json:"status,omitempty" enum:"ok,denied,disabled,error,limited" doc:"The worst of how the last readings went, which its status tells one by one. Absent: it was never read or tested."`
}

// viewOf shows a connection with how its own readings went.
func viewOf(c ingest.Connection, own []ingest.Reading) connectionView {
	return connectionView{ID: c.ID, Cloud: c.Cloud, Name: c.Name, Settings: c.Settings, HasSecret: c.Secret != "", Status: ingest.StatusOf(own)}
}

// readings are how the last attempts went, by connection.
func (x Connections) readings(ctx context.Context, t tenant.ID) (map[string][]ingest.Reading, error) {
	all, err := x.Store.Readings(ctx, t)
	out := map[string][]ingest.Reading{}
	for _, r := range all {
		out[r.Connection] = append(out[r.Connection], r)
	}
	return out, err
}

func (x Connections) view(ctx context.Context, c ingest.Connection) (*connectionOutput, error) {
	readings, err := x.readings(ctx, c.Tenant)
	return &connectionOutput{viewOf(c, readings[c.ID])}, err
}

type connectionsOutput struct {
	Body struct {
		Items []connectionView `json:"items"`
	}
}

func (x Connections) list(ctx context.Context, p tenant.Principal, _ *struct{}) (*connectionsOutput, error) {
	all, err := x.Store.Connections(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	readings, err := x.readings(ctx, p.Tenant)
	out := &connectionsOutput{}
	out.Body.Items = make([]connectionView, 0, len(all))
	for _, c := range all {
		out.Body.Items = append(out.Body.Items, viewOf(c, readings[c.ID]))
	}
	return out, err
}

// secretText is the JSON object that holds credentials. It says nothing of itself wherever it is printed.
type secretText json.RawMessage

// UnmarshalJSON takes the text as it is.
func (s *secretText) UnmarshalJSON(b []byte) error { *s = append((*s)[:0], b...); return nil }

// String hides the secret.
func (s secretText) String() string { return "(secret)" }

// GoString hides the secret.
func (s secretText) GoString() string { return "(secret)" }

// Schema describes it as an object of anything.
func (secretText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "Credentials as the cloud's guide describes them, a JSON object. Stored, never shown again."}
}

// mostSecret is what the store of secrets takes, in bytes.
const mostSecret = 64 << 10

func (s secretText) check() error {
	var object map[string]json.RawMessage
	switch {
	case len(s) == 0:
		return nil
	case len(s) > mostSecret:
		return fault.Input("body.secret", "", "may have %d bytes", mostSecret)
	case json.Unmarshal(s, &object) != nil || len(object) == 0:
		return fault.Input("body.secret", "", "has to be a JSON object with something in it")
	}
	return nil
}

type connectionInput struct {
	Body struct {
		ID       string            `json:"id" minLength:"1" maxLength:"100" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" example:"aws-main"`
		Cloud    resource.Cloud    `json:"cloud" enum:"aws,gcp,azure,vultr"`
		Name     string            `json:"name" minLength:"1" maxLength:"200" example:"Production"`
		Settings map[string]string `json:"settings,omitempty" doc:"Where to read; the cloud's guide names them."`
		Secret   secretText        `json:"secret,omitempty"`
	}
}

type connectionOutput struct {
	Body connectionView
}

func (x Connections) create(ctx context.Context, p tenant.Principal, in *connectionInput) (*connectionOutput, error) {
	c := ingest.Connection{Tenant: p.Tenant, ID: in.Body.ID, Cloud: in.Body.Cloud, Name: in.Body.Name, Settings: in.Body.Settings}
	if err := acceptable(c, in.Body.Secret); err != nil {
		return nil, err
	}
	// The connection first: a secret must not take the place of another connection's.
	if err := x.Store.CreateConnection(ctx, c); err != nil {
		return nil, err
	}
	if len(in.Body.Secret) > 0 {
		if err := x.keep(ctx, &c, in.Body.Secret); err != nil {
			// Without its credentials it is nothing that the caller asked for. Should taking it back fail too, it can be deleted or changed.
			_ = x.Store.RemoveConnection(context.WithoutCancel(ctx), c.Tenant, c.ID)
			return nil, err
		}
	}
	return &connectionOutput{viewOf(c, nil)}, nil
}

// acceptable refuses what no collector could use.
func acceptable(c ingest.Connection, secret secretText) error {
	if err := ingest.CheckSettings(c.Cloud, c.Settings); err != nil {
		return err
	}
	return secret.check()
}

// keep stores the secret and notes its name.
func (x Connections) keep(ctx context.Context, c *ingest.Connection, secret secretText) error {
	name := ingest.SecretName(c.Tenant, c.ID)
	if err := x.Secrets.Put(ctx, name, secret); err != nil {
		return err
	}
	c.Secret = name
	return x.Store.UpdateConnection(ctx, *c)
}

// Named is the input of what is about one connection. IDs of derived connections have colons.
type Named struct {
	ID string `path:"id" minLength:"1" maxLength:"300"`
}

func (x Connections) get(ctx context.Context, p tenant.Principal, in *Named) (*connectionOutput, error) {
	c, err := x.Store.Connection(ctx, p.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	return x.view(ctx, c)
}

type connectionUpdate struct {
	Named

	Body struct {
		Name     string            `json:"name" minLength:"1" maxLength:"200"`
		Settings map[string]string `json:"settings,omitempty" doc:"All of them: those that are not named are removed."`
		Secret   secretText        `json:"secret,omitempty"`
	}
}

func (x Connections) update(ctx context.Context, p tenant.Principal, in *connectionUpdate) (*connectionOutput, error) {
	c, err := x.Store.Connection(ctx, p.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	c.Name, c.Settings = in.Body.Name, in.Body.Settings
	if err := acceptable(c, in.Body.Secret); err != nil {
		return nil, err
	}
	if len(in.Body.Secret) > 0 {
		err = x.keep(ctx, &c, in.Body.Secret)
	} else {
		err = x.Store.UpdateConnection(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	return x.view(ctx, c)
}

func (x Connections) remove(ctx context.Context, p tenant.Principal, in *Named) (*struct{}, error) {
	c, err := x.Store.Connection(ctx, p.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	// The secret first: when the rest fails, the connection is still there to be deleted again.
	if c.Secret != "" {
		if err := x.Secrets.Delete(ctx, c.Secret); err != nil {
			return nil, err
		}
	}
	return &struct{}{}, x.Store.RemoveConnection(ctx, p.Tenant, c.ID)
}

// checkMachine is the state machine that asks the cloud side about a connection.
const checkMachine = "check"

// checkInput is what it is started with.
type checkInput struct {
	Tenant     tenant.ID         `json:"tenant"`
	Connection string            `json:"connection"`
	Cloud      resource.Cloud    `json:"cloud"`
	Collector  string            `json:"collector"`
	Settings   map[string]string `json:"settings"`
	Secret     string            `json:"secret"` // its name
}

type testInput struct {
	Starting
	Named
}

func (x Connections) test(ctx context.Context, p tenant.Principal, in *testInput) (*runAnswer, error) {
	c, err := x.Store.Connection(ctx, p.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	collector := x.Collectors[c.Cloud]
	switch {
	case c.Cloud == "":
		return nil, fault.New(fault.Unprocessable, "The connection %q is fed by uploads, so there are no rights to test.", c.ID)
	case collector == "":
		return nil, fault.New(fault.Unprocessable, "No collector for %s is configured. Add it to COLLECTORS.", c.Cloud)
	}
	return x.start(ctx, p, checkMachine, in.Starting, checkInput{c.Tenant, c.ID, c.Cloud, collector, c.Settings, c.Secret})
}

type connectionStatusOutput struct {
	Body ingest.ConnectionStatus
}

func (x Connections) status(ctx context.Context, p tenant.Principal, in *Named) (*connectionStatusOutput, error) {
	s, err := x.Store.ConnectionStatus(ctx, p.Tenant, in.ID)
	if s.Readings == nil {
		s.Readings = []ingest.Reading{}
	}
	if s.Parts == nil {
		s.Parts = []ingest.Part{}
	}
	if s.Beside == nil {
		s.Beside = []ingest.Part{}
	}
	if s.Doubled == nil {
		s.Doubled = []ingest.Doubled{}
	}
	return &connectionStatusOutput{s}, err
}
