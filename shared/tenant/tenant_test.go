package tenant_test

import (
	"context"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

func TestLadderOfRoles(t *testing.T) {
	t.Parallel()
	roles := []tenant.Role{tenant.Viewer, tenant.Operator, tenant.Approver, tenant.Admin}
	for i, have := range roles {
		for j, needed := range roles {
			if got, want := have.May(needed), i >= j; got != want {
				t.Errorf("%s may act as %s: %v, want %v", have, needed, got, want)
			}
		}
		if have.May("owner") {
			t.Errorf("%s may act as an unknown role", have)
		}
	}
	if tenant.Role("root").May(tenant.Viewer) {
		t.Error("an unknown role may nothing")
	}
}

func TestNobodyMayNothing(t *testing.T) {
	t.Parallel()
	for name, ctx := range map[string]context.Context{
		"no principal": context.Background(),
		"no tenant":    tenant.NewContext(context.Background(), tenant.Principal{Role: tenant.Admin}),
	} {
		if _, err := tenant.Require(ctx, tenant.Viewer); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%s: %v, want Unauthenticated", name, err)
		}
	}
}

func TestRequire(t *testing.T) {
	t.Parallel()
	ctx := tenant.NewContext(context.Background(), tenant.Principal{Tenant: "t", Role: tenant.Operator})
	if _, err := tenant.Require(ctx, tenant.Approver); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("operator as approver: %v, want Forbidden", err)
	}
	if p, err := tenant.Require(ctx, tenant.Viewer); err != nil || p.Tenant != "t" {
		t.Errorf("operator as viewer: %v %v", p, err)
	}
}
