package aws

import (
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

func TestSettingsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		tenant   tenant.ID
		settings map[string]string
		names    string
	}{
		"no role":           {aTenant, nil, "settings.role_arn"},
		"a user":            {aTenant, map[string]string{"role_arn": "arn:aws:iam::123456789012:user/x"}, "settings.role_arn"},
		"half an export":    {aTenant, map[string]string{"role_arn": role, "export_bucket": "bills"}, "settings.export_bucket"},
		"unknown":           {aTenant, map[string]string{"role_arn": role, "external_id": "x"}, "settings.external_id"},
		"a short account":   {aTenant, map[string]string{"role_arn": role, "accounts": "12"}, "settings.accounts"},
		"nobody's":          {"", map[string]string{"role_arn": role}, "tenant"},
		"a region nowhere":  {aTenant, map[string]string{"role_arn": role, "regions": "everywhere"}, "settings.regions"},
		"a role with slash": {aTenant, map[string]string{"role_arn": role, "member_role": "a b"}, "settings.member_role"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(t.Context(), ingest.Connection{Tenant: c.tenant, Settings: c.settings}, Options{Now: clock})
			if fault.CodeOf(err) != fault.Invalid || !strings.HasPrefix(fault.Public(err).Message, c.names) {
				t.Errorf("%v, want a complaint about %s", err, c.names)
			}
		})
	}
}
