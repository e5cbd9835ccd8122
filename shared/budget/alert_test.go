package budget_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/budget"
)

func TestAnAlertIsRaisedOnce(t *testing.T) {
	t.Parallel()
	b := of("120")
	probability := 0.9
	b.Thresholds = append(b.Thresholds, budget.Threshold{On: budget.Forecast, Percent: 100, Probability: &probability},
		budget.Threshold{On: budget.Forecast, Percent: 300})
	first := budget.Evaluate(b, november2026(), november())
	alerts, raised := budget.Merge(b, first, nil)
	if raised != 3 || len(alerts) != 3 { // 80 % of the actual, 100 % of the forecast, and likely so
		t.Fatalf("%d raised: %+v", raised, alerts)
	}
	if a := alerts[0]; a.Threshold.Key() != "actual/80" || a.Status != budget.Raised || a.Value.String() != "111.00 USD" || a.Limit.String() != "96.00 USD" ||
		!strings.Contains(a.Message, "has reached 80 % on 10 November 2026: 111.00 USD") {
		t.Errorf("%+v", a)
	}
	if !strings.Contains(alerts[2].Message, "with a probability of 100 %") {
		t.Errorf("%q", alerts[2].Message)
	}
	again, raised := budget.Merge(b, first, alerts)
	if raised != 0 || len(again) != 3 {
		t.Errorf("the same once more raised %d of %d", raised, len(again))
	}

	restated := november()
	restated.At = day(11, 13)
	for i := range restated.Days {
		restated.Days[i].Amount = decimal.NewFromInt(2)
	}
	back, raised := budget.Merge(b, budget.Evaluate(b, november2026(), restated), again)
	if raised != 0 || back[0].Status != budget.Withdrawn || !back[0].WithdrawnAt.Equal(restated.At) || !back[0].RaisedAt.Equal(first.At) {
		t.Errorf("a restated bill leaves %+v", back[0])
	}
	if again[0].Status != budget.Raised {
		t.Error("what was known was changed in place")
	}
	up, raised := budget.Merge(b, first, back)
	if raised != 0 || up[0].Status != budget.Raised || up[0].WithdrawnAt != nil || !up[0].RaisedAt.Equal(first.At) {
		t.Errorf("up again: %d raised, %+v", raised, up[0])
	}
}

func TestWhatIsNotKnownTakesNoAlertBack(t *testing.T) {
	t.Parallel()
	b := of("120")
	alerts, _ := budget.Merge(b, budget.Evaluate(b, november2026(), november()), nil)
	blind := november()
	blind.Outlook = nil
	kept, _ := budget.Merge(b, budget.Evaluate(b, november2026(), blind), alerts)
	for _, a := range kept {
		if a.Status != budget.Raised {
			t.Errorf("%s was withdrawn", a.Threshold.Key())
		}
	}
	b.Thresholds = b.Thresholds[:1]
	fewer, _ := budget.Merge(b, budget.Evaluate(b, november2026(), november()), alerts)
	if fewer[0].Status != budget.Raised || fewer[1].Status != budget.Withdrawn {
		t.Errorf("after its threshold went: %+v", fewer)
	}
}
