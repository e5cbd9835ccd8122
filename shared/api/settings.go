package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Settings are what a tenant says about itself.
type Settings struct {
	Store    job.SettingsStore
	Holidays job.Holidays
	Now      job.Clock
}

const settingsTag = "Settings"

// Register adds the operations.
func (x Settings) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "get-settings", Method: http.MethodGet, Path: "/settings", Tags: []string{settingsTag},
		Summary: "Read what you told about yourself"}, tenant.Viewer, x.get)
	operation(a, huma.Operation{OperationID: "set-settings", Method: http.MethodPut, Path: "/settings", Tags: []string{settingsTag},
		Summary:     "Tell where you work",
		Description: "Replaces all settings. Forecasts and anomalies of the next analysis know the public holidays of the country."}, tenant.Admin, x.set)
}

type settingsBody struct {
	Country string `json:"country,omitempty" maxLength:"2" example:"DE" doc:"ISO 3166-1 alpha-2 code of the country whose public holidays move your costs. Without it, no holidays are known."`
	Region  string `json:"region,omitempty" maxLength:"3" example:"BY" doc:"A region of it with holidays of its own: the part of the ISO 3166-2 code after the hyphen. Without it, those of the whole country."`
}

type settingsInput struct {
	Body settingsBody
}

type settingsOutput struct {
	Body settingsBody
}

func (x Settings) get(ctx context.Context, p tenant.Principal, _ *struct{}) (*settingsOutput, error) {
	s, err := x.Store.Settings(ctx, p.Tenant)
	return &settingsOutput{settingsBody(s)}, err
}

func (x Settings) set(ctx context.Context, p tenant.Principal, in *settingsInput) (*settingsOutput, error) {
	s := job.Settings(in.Body)
	out, err := job.Declare{Store: x.Store, Holidays: x.Holidays, Now: x.Now}.Run(ctx, p.Tenant, s)
	return &settingsOutput{settingsBody(out)}, inBody(err)
}
