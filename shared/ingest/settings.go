package ingest

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Setting is one thing that can be said about a connection of a cloud.
type Setting struct {
	Name     string
	Pattern  string // regular expression that the whole value matches; empty: any text
	Text     string // what it is, for people
	Required bool
}

// LimitSetting is a setting of every cloud: what all readings of the connection in one collection may cost together, in
// USD of list price.
const LimitSetting = "limit_usd"

var everywhere = []Setting{{Name: LimitSetting, Pattern: `[0-9]{1,6}(\.[0-9]{1,4})?`, Text: "What one collection may cost for this connection, all its bills and the inventory together, in USD of list price. At the limit it stops, and the next one goes on. Without it there is no limit."}}

// settingsOf lists what each cloud knows beside that; the files settings_<cloud>.go add to it.
var settingsOf = map[resource.Cloud][]Setting{
	resource.AWS:   awsSettings,
	resource.Azure: azureSettings,
	resource.GCP:   gcpSettings,
	resource.Vultr: vultrSettings,
}

// SettingsOf lists the settings that connections of the cloud may have, in the order in which they are explained.
func SettingsOf(cloud resource.Cloud) []Setting { return slices.Concat(settingsOf[cloud], everywhere) }

// mostSettings bounds the bytes of all settings together, which go into the state of a collection with every month to read.
const mostSettings = 4000

// CheckSettings refuses what no collector of the cloud could use: unknown names, values that cannot be, required ones that are
// missing. The error is fault.Invalid and names "settings.<name>". It never shows a value, for some people take settings for the
// place of their credentials.
func CheckSettings(cloud resource.Cloud, settings map[string]string) error {
	known := SettingsOf(cloud)
	size := 0
	for name, value := range settings {
		size += len(name) + len(value)
	}
	if size > mostSettings {
		return fault.Input("settings", "", "may have %d bytes together", mostSettings)
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !slices.ContainsFunc(known, func(s Setting) bool { return s.Name == name }) {
			return fault.Input("settings."+name, "", "is not a setting of %s; there are %s", cloud, names(known))
		}
	}
	for _, s := range known {
		value, given := settings[s.Name]
		switch {
		case !given && s.Required:
			return fault.Input("settings."+s.Name, "", "is missing. %s", s.Text)
		case !given:
		case s.Pattern != "" && !regexp.MustCompile(`^(?:`+s.Pattern+`)$`).MatchString(value):
			return fault.Input("settings."+s.Name, "", "cannot be used. %s", s.Text)
		}
	}
	return nil
}

func names(known []Setting) string {
	all := make([]string, 0, len(known))
	for _, s := range known {
		all = append(all, s.Name)
	}
	return strings.Join(all, ", ")
}

// MeterOf makes the meter of one reading, which stops at the limit that the settings name, if they do.
func MeterOf(settings map[string]string) (*Meter, error) {
	text, ok := settings[LimitSetting]
	if !ok {
		return NewMeter(nil), nil
	}
	limit, err := decimal.NewFromString(text)
	if err != nil || limit.IsNegative() {
		return nil, fault.Input("settings."+LimitSetting, "", "has to be a number of USD, such as 2.50")
	}
	return NewMeter(&limit), nil
}

// SecretName is the name under which a connection's credentials are kept. It follows from whose they are, so that no connection
// can be made to use those of another.
func SecretName(t tenant.ID, connection string) string { return string(t) + "/" + connection }
