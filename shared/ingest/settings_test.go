package ingest_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func TestEverySettingIsExplained(t *testing.T) {
	t.Parallel()
	for _, cloud := range resource.Clouds {
		seen := map[string]bool{}
		for _, s := range ingest.SettingsOf(cloud) {
			if _, err := regexp.Compile(s.Pattern); err != nil || s.Text == "" || seen[s.Name] {
				t.Errorf("%s, %s: %v, explained as %q, named twice: %v", cloud, s.Name, err, s.Text, seen[s.Name])
			}
			seen[s.Name] = true
		}
		if !seen[ingest.LimitSetting] {
			t.Errorf("what reading %s may cost cannot be limited", cloud)
		}
	}
}

func TestSettingsThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::123456789012:role/CostAgent"
	for name, tc := range map[string]struct {
		settings map[string]string
		location string
	}{
		"usable":         {map[string]string{"role_arn": role, "limit_usd": "0.50", "regions": "eu-west-1, us-east-1"}, ""},
		"missing":        {map[string]string{"limit_usd": "1"}, "settings.role_arn"},
		"unknown":        {map[string]string{"role_arn": role, "secret_key": "hidden-thing"}, "settings.secret_key"},
		"not whole":      {map[string]string{"role_arn": role + "\nhidden-thing"}, "settings.role_arn"},
		"negative limit": {map[string]string{"role_arn": role, "limit_usd": "-1"}, "settings.limit_usd"},
		"too much":       {map[string]string{"role_arn": role, "services": strings.Repeat("x", 5000)}, "settings"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ingest.CheckSettings(resource.AWS, tc.settings)
			if tc.location == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			public := fault.Public(err)
			if public.Code != fault.Invalid || len(public.Fields) != 1 || public.Fields[0].Name != tc.location || strings.Contains(err.Error(), "hidden-thing") {
				t.Errorf("got %v, want Invalid about %s", err, tc.location)
			}
		})
	}
}

func TestTheMeterStopsAtTheLimitOfTheSettings(t *testing.T) {
	t.Parallel()
	m, err := ingest.MeterOf(map[string]string{ingest.LimitSetting: "0.01"})
	if err != nil {
		t.Fatal(err)
	}
	cent := decimal.RequireFromString("0.01")
	if err := m.Spend("requests", 1, cent); err != nil {
		t.Error(err)
	}
	if err := m.Spend("requests", 1, cent); fault.CodeOf(err) != fault.LimitReached {
		t.Errorf("above the limit: %v", err)
	}
	if m, err := ingest.MeterOf(nil); err != nil || m.Spend("requests", 1e6, cent) != nil {
		t.Errorf("without a limit: %v", err)
	}
	if _, err := ingest.MeterOf(map[string]string{ingest.LimitSetting: "much"}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("no number: %v", err)
	}
}
