package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// spotItem is a change of a price so long ago.
func spotItem(size, zone, usd string, ago time.Duration) string {
	return "<item><instanceType>" + size + "</instanceType><availabilityZone>" + zone + "</availabilityZone><productDescription>Linux/UNIX</productDescription><spotPrice>" + usd +
		"</spotPrice><timestamp>" + noon.Add(-ago).Format("2006-01-02T15:04:05.000Z") + "</timestamp></item>"
}

// TestSpotPrices: the mean of a week and its highest, of the dearest of a region's zones; not being allowed to see them takes
// nothing from the list.
func TestSpotPrices(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	pages := [][]string{
		{ // the newest first, as AWS gives them
			spotItem("m5.large", "eu-west-1a", "0.01", time.Minute), // a dip of this minute
			spotItem("m5.large", "eu-west-1a", "0.0500000000", 2*day), spotItem("c5.large", "eu-west-1a", "0.03", 20*day),
		},
		{
			spotItem("m5.large", "eu-west-1a", "0.04", 9*day), // from before the week
			spotItem("m5.large", "eu-west-1b", "0.045", 30*day), spotItem("m5.large", "eu-west-1c", "0.09", 30*time.Minute), spotItem("m5.large", "eu-west-1c", "0.02", 8*day),
		},
	}
	history := func(in object, region string) any {
		if region != "eu-west-1" || in["ProductDescription.1"] != "Linux/UNIX" || in["StartTime"] != "2026-11-03T12:00:00Z" || in["EndTime"] != "2026-11-10T12:00:00Z" {
			return refusal{403, "UnauthorizedOperation"}
		}
		page, token := pages[0], "<nextToken>more</nextToken>"
		if in["NextToken"] != nil {
			page, token = pages[1], ""
		}
		return "<DescribeSpotPriceHistoryResponse><spotPriceHistorySet>" + strings.Join(page, "") + "</spotPriceHistorySet>" + token + "</DescribeSpotPriceHistoryResponse>"
	}
	w := &wire{t: t, answers: map[string]func(object, string) any{"ec2.DescribeSpotPriceHistory": history, "pricing.GetProducts": says(object{"FormatVersion": "aws_v1", "PriceList": []string{}})}}
	got, err := collector(t, w.start(), nil, nil).Prices(t.Context(), []string{"eu-west-1", "us-west-2"})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range got {
		lines = append(lines, fmt.Sprintln(p.Region, p.Type, p.Size, p.Unit, p.Variant, p.Amount, p.Currency))
	}
	// The mean in zone b is 0.045; in zone a it is less: five days at 0.04, two at 0.05, and the minute, though no zone is dearer now
	// than c, whose mean is 0.0202.
	want := []string{
		"eu-west-1 instance c5.large hour spot 0.03 USD\n", "eu-west-1 instance c5.large hour spot_peak 0.03 USD\n",
		"eu-west-1 instance m5.large hour spot 0.045 USD\n", "eu-west-1 instance m5.large hour spot_peak 0.09 USD\n",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%v\nwant\n%v", lines, want)
	}
	w.answers["pricing.GetProducts"] = says(refusal{400, "AccessDeniedException"})
	if got, err = collector(t, w.start(), nil, nil).Prices(t.Context(), []string{"eu-west-1"}); err != nil || len(got) != 0 {
		t.Errorf("%v: spot prices alone would replace a price list: %+v", err, got)
	}
}

func TestSpotPricesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, usd := range []string{"x", "", "0", "-1"} {
		answer := "<DescribeSpotPriceHistoryResponse><spotPriceHistorySet>" + spotItem("m5.large", "a", usd, time.Hour) + "</spotPriceHistorySet></DescribeSpotPriceHistoryResponse>"
		w := &wire{t: t, answers: map[string]func(object, string) any{"ec2.DescribeSpotPriceHistory": says(answer), "pricing.GetProducts": says(object{"FormatVersion": "aws_v1"})}}
		if got, err := collector(t, w.start(), nil, nil).Prices(t.Context(), []string{"eu-west-1"}); fault.CodeOf(err) != fault.Unavailable || len(got) != 0 {
			t.Errorf("%q: %v %v", usd, err, got)
		}
	}
}

func TestPricesOverTime(t *testing.T) {
	t.Parallel()
	week := cost.Period{Start: noon.AddDate(0, 0, -7), End: noon}
	change := func(days int, usd string) spotChange {
		return spotChange{noon.AddDate(0, 0, -days), decimal.RequireFromString(usd)}
	}
	for name, c := range map[string]struct {
		changes    []spotChange
		mean, peak string
		known      bool
	}{
		"one from before":        {[]spotChange{change(40, "0.07")}, "0.07", "0.07", true},
		"weighed":                {[]spotChange{change(1, "0.08"), change(8, "0.01")}, "0.02", "0.08", true},
		"what was over by then":  {[]spotChange{change(8, "9"), change(7, "0.03")}, "0.03", "0.03", true},
		"younger than the week":  {[]spotChange{change(2, "0.02"), change(1, "0.04")}, "0.03", "0.04", true},
		"a third":                {[]spotChange{change(3, "0.01"), change(1, "0.02")}, "0.0133333333", "0.02", true},
		"after the end":          {[]spotChange{change(-1, "1")}, "0", "0", false},
		"nothing":                {nil, "0", "0", false},
		"two at the same moment": {[]spotChange{change(2, "0.05"), change(2, "0.05")}, "0.05", "0.05", true},
	} {
		mean, peak, known := overTime(c.changes, week)
		if mean.String() != c.mean || peak.String() != c.peak || known != c.known {
			t.Errorf("%s: %s %s %t, want %s %s %t", name, mean, peak, known, c.mean, c.peak, c.known)
		}
	}
}
