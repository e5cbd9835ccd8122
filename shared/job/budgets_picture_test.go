package job_test

import (
	"math"
	"testing"

	"github.com/cost-agent/cost-agent/shared/chart"
	"github.com/cost-agent/cost-agent/shared/fault"
)

func TestThePictureOfABudgetAddsUpToItsStanding(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	s := o.create(monthly("2900", "compute")).Standing(o.now)
	c, err := o.Picture(t.Context(), budgetTenant, "b1")
	if err != nil {
		t.Fatal(err)
	}
	// Nine days are settled and eleven reported; the course goes on from the tenth to the last.
	if v := c.Series.Values; len(v) != 30 || c.Series.Final != 9 || math.Abs(v[10]-s.Actual.Float()) > 1e-9 || !math.IsNaN(v[11]) {
		t.Errorf("series %v, final %d", v, c.Series.Final)
	}
	points := c.Forecast.Points
	if len(points) != 21 || !points[0].Day.Equal(on(11, 10)) || !points[20].Day.Equal(on(11, 30)) {
		t.Fatalf("%d points", len(points))
	}
	end, e := points[20], s.Expected
	for name, pair := range map[string][2]float64{"mean": {end.Mean, e.Mean.Float()}, "low 80": {end.Low80, e.Low80.Float()}, "high 80": {end.High80, e.High80.Float()},
		"low 95": {end.Low95, e.Low95.Float()}, "high 95": {end.High95, e.High95.Float()}} {
		if math.Abs(pair[0]-pair[1]) > 0.006 {
			t.Errorf("%s: the picture ends at %f, the standing at %f", name, pair[0], pair[1])
		}
	}
	for i, p := range points {
		if p.Low95 > p.Low80 || p.Low80 > p.Mean || p.Mean > p.High80 || p.High80 > p.High95 || i > 0 && p.Mean < points[i-1].Mean {
			t.Errorf("%s: %+v", p.Day, p)
		}
	}
	svg, err := chart.Draw(c)
	if err != nil || len(svg) < 1000 {
		t.Errorf("%d bytes, %v", len(svg), err)
	}
}

func TestThereIsNoPictureOfNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ended := monthly("1")
	ended.Name, ended.End = "Ended", on(11, 1)
	o.create(ended)
	if _, err := o.Picture(t.Context(), budgetTenant, "b1"); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("of a budget that ended: %v", err)
	}
	if _, err := o.Picture(t.Context(), budgetTenant, "b9"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("of no budget: %v", err)
	}
	none := monthly("1")
	none.Amount.Currency = "EUR"
	o.create(none)
	c, err := o.Picture(t.Context(), budgetTenant, "b2")
	if err != nil || c.Forecast != nil {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := chart.Draw(c); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("of costs that nobody knows: %v", err)
	}
}
