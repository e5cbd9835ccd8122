package job_test

import (
	"context"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// shown is an analysed bill that can be read.
type shown struct{ *imagined }

func (x shown) Trends(_ context.Context, _ tenant.ID, f job.ResultFilter) ([]job.Trend, error) {
	var out []job.Trend
	for _, t := range x.trends {
		if t.Level == f.Level && chosenBy(f, t.Scope) {
			out = append(out, t)
		}
	}
	return out, nil
}

func (x shown) Anomalies(_ context.Context, _ tenant.ID, f job.AnomalyFilter) ([]job.Anomaly, error) {
	var out []job.Anomaly
	for _, a := range x.known {
		if (f.Provider == "" || a.Scope[cost.Provider] == f.Provider) && (f.Service == "" || a.Scope[cost.Service] == f.Service) {
			out = append(out, a)
		}
	}
	return out, nil
}

func (x shown) Anomaly(context.Context, tenant.ID, string) (job.Anomaly, error) {
	return job.Anomaly{}, fault.New(fault.NotFound, "There is none.")
}

func picture(t *testing.T, x shown, in job.PictureInput) (job.Chart, error) {
	t.Helper()
	return job.Picture{Series: x, Reader: x, Now: func() time.Time { return analysed }}.Run(t.Context(), in)
}

func TestAPictureHoldsWhatIsKnownOfOneCost(t *testing.T) {
	t.Parallel()
	x := shown{imagine(t)}
	x.add("USD", "AWS", "Glue", "g-1", func(i int) float64 { return 20 + map[bool]float64{true: 900}[i >= 290 && i < 293] })
	x.analyze(t, analysed, job.AnalyzeInput{})
	for name, tt := range map[string]struct {
		in                 job.PictureInput
		ahead, marks, days int
	}{
		"the whole bill": {job.PictureInput{Days: 90, Ahead: 60}, 60, 1, 90},
		"a provider":     {job.PictureInput{Days: 90, Ahead: 500, Provider: "AWS"}, 123, 1, 90},
		"another one":    {job.PictureInput{Days: 90, Ahead: 9, Provider: "Google"}, 9, 0, 90},
		"a service":      {job.PictureInput{Days: 90, Ahead: 9, Provider: "AWS", Service: "Glue"}, 9, 1, 90},
		"by its name":    {job.PictureInput{Days: 90, Ahead: 9, Service: "BigQuery"}, 9, 0, 90},
		"an account":     {job.PictureInput{Days: 90, Ahead: 9, Account: "1", Provider: "AWS"}, 9, 1, 90},
		"a region":       {job.PictureInput{Days: 90, Ahead: 9, Region: "eu", Provider: "Google"}, 9, 0, 90},
		"a leaf":         {job.PictureInput{Days: 90, Ahead: 9, Provider: "Google", Account: "1", Region: "eu", Service: "BigQuery"}, 9, 0, 90},
		"a trend":        {job.PictureInput{Days: 90, Provider: "AWS"}, 0, 1, 90},
		"a few days":     {job.PictureInput{Days: 7, Ahead: 60}, 60, 0, 7},
	} {
		c, err := picture(t, x, tt.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ahead := 0
		if c.Forecast != nil {
			ahead = len(c.Forecast.Points)
		}
		if ahead != tt.ahead || len(c.Anomalies) != tt.marks || len(c.Series.Values) != tt.days || c.Trend == nil {
			t.Errorf("%s: %d days, %d ahead, %d anomalies, trend %v", name, len(c.Series.Values), ahead, len(c.Anomalies), c.Trend != nil)
		}
		if want := c.Series.Day(len(c.Series.Values)); ahead == 0 && !c.Through().Equal(want) {
			t.Errorf("%s: through %s, want %s", name, c.Through(), want)
		}
	}
}

func TestAPictureIsOfOneCost(t *testing.T) {
	t.Parallel()
	x := shown{imagine(t)}
	x.add("USD", "Vultr", "S3", "v-1", wavy(10))
	x.add("EUR", "OVH", "VPS", "o-1", wavy(10))
	for field, in := range map[string]job.PictureInput{
		"currency": {Days: 90}, "provider": {Days: 90, Currency: "USD", Region: "eu"},
	} {
		_, err := picture(t, x, in)
		if public := fault.Public(err); public.Code != fault.Invalid || len(public.Fields) != 1 || public.Fields[0].Name != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if c, err := picture(t, x, job.PictureInput{Days: 90, Ahead: 9, Provider: "AWS", Account: "1", Service: "S3"}); err != nil || c.Forecast != nil || c.Trend != nil || len(c.Series.Values) != 90 {
		t.Errorf("a service in an account has no results of its own, and a history: %v", err)
	}
	if _, err := picture(t, x, job.PictureInput{Days: 90, Provider: "Nobody"}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("nobody's costs: %v", err)
	}
	x.known = []job.Anomaly{{Incident: anomaly.Incident{Start: analysed.AddDate(0, 0, -9), Impact: cost.Money{Currency: "EUR"}}}}
	if c, err := picture(t, x, job.PictureInput{Days: 90, Currency: "USD"}); err != nil || len(c.Anomalies) != 0 {
		t.Errorf("an anomaly in euros stands in a picture of dollars: %+v, %v", c.Anomalies, err)
	}
	if c, err := picture(t, x, job.PictureInput{Days: 90, Currency: "EUR"}); err != nil || c.Series.Currency != "EUR" || len(c.Anomalies) != 1 || c.Forecast != nil {
		t.Errorf("%+v, %v", c.Series.Currency, err)
	}
}
