package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
)

func TestCauseStaysHidden(t *testing.T) {
	t.Parallel()
	cause := errors.New("password=hunter2 refused by 10.0.0.7")
	err := fmt.Errorf("while loading: %w", fault.Wrap(cause, fault.Unavailable, "The database is not reachable."))

	public := fault.Public(err)
	if public.Code != fault.Unavailable || strings.Contains(public.Message, "hunter2") {
		t.Errorf("Public = %s %q", public.Code, public.Message)
	}
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "hunter2") {
		t.Error("the log must see the cause")
	}
}

func TestForeignAndInternalErrorsLoseTheirText(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"foreign":  errors.New("pq: relation secrets does not exist"),
		"internal": fault.New(fault.Internal, "secrets table is gone"),
	} {
		p := fault.Public(err)
		if p.Code != fault.Internal || strings.Contains(p.Message, "secrets") {
			t.Errorf("%s: Public = %s %q", name, p.Code, p.Message)
		}
		if fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: CodeOf = %s", name, fault.CodeOf(err))
		}
	}
}

func TestWrapOfNilIsNil(t *testing.T) {
	t.Parallel()
	if err := fault.Wrap(nil, fault.Internal, "never"); err != nil {
		t.Errorf("Wrap(nil) = %v", err)
	}
}

func TestInputNamesTheField(t *testing.T) {
	t.Parallel()
	err := fault.Input("period.start", strings.Repeat("x", 200), "is not a date")
	if err.Code != fault.Invalid || len(err.Fields) != 1 || err.Fields[0].Name != "period.start" {
		t.Fatalf("Input = %+v", err)
	}
	if len(err.Fields[0].Value) > 100 {
		t.Error("a long value must be shortened")
	}
	if !strings.Contains(err.Message, "period.start") {
		t.Error("the message must name the field")
	}
}
