package job

import (
	"context"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Settings are what a tenant says about itself. The zero value is a tenant that has said nothing.
type Settings struct {
	Country string `json:"country"` // ISO 3166-1 alpha-2, "DE"; empty: no holidays are known
	Region  string `json:"region"`  // within the country, "BY"; empty: the holidays of the whole country
}

// SettingsReader reads settings.
type SettingsReader interface {
	// Settings gives the zero value where none were saved.
	Settings(ctx context.Context, t tenant.ID) (Settings, error)
}

// SettingsStore keeps settings.
type SettingsStore interface {
	SettingsReader

	// SaveSettings replaces them.
	SaveSettings(ctx context.Context, t tenant.ID, s Settings) error
}

// Holidays knows the public holidays of countries.
type Holidays interface {
	// Calendar names the holidays of a country, and of a region of it, on the days of a period. It fails with fault.Invalid, naming
	// the field country or region, for one that it does not know. No country is a nil calendar.
	Calendar(country, region string, days cost.Period) (cost.Calendar, error)
}

// Calendars finds the calendar that a tenant works by. The zero value knows no holidays.
type Calendars struct {
	Settings SettingsReader
	Holidays Holidays
}

// Of gives the holidays of a tenant on the days of a period; nil where it named no country.
func (c Calendars) Of(ctx context.Context, t tenant.ID, days cost.Period) (cost.Calendar, error) {
	if c.Settings == nil || c.Holidays == nil {
		return nil, nil
	}
	s, err := c.Settings.Settings(ctx, t)
	if err != nil {
		return nil, err
	}
	return c.Holidays.Calendar(s.Country, s.Region, days)
}

// Declare takes what a tenant says about itself.
type Declare struct {
	Store    SettingsStore
	Holidays Holidays
	Now      Clock
}

// Run replaces the settings. It fails with fault.Invalid, naming the field, for a country or region whose holidays are not known.
func (d Declare) Run(ctx context.Context, t tenant.ID, s Settings) (Settings, error) {
	if _, err := d.Holidays.Calendar(s.Country, s.Region, cost.Days(d.Now(), 1)); err != nil {
		return Settings{}, err
	}
	return s, d.Store.SaveSettings(ctx, t, s)
}
