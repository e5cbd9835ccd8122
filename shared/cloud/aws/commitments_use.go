package aws

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	planUseRight          = "ce:GetSavingsPlansUtilizationDetails"
	planCoverRight        = "ce:GetSavingsPlansCoverage"
	reservationUseRight   = "ce:GetReservationUtilization"
	reservationCoverRight = "ce:GetReservationCoverage"
	// dollars is what Cost Explorer reckons in.
	dollars = cost.Currency("USD")
)

// reservable are the services whose reservations are listed; a request is about one of them.
var reservable = []string{"Amazon Elastic Compute Cloud - Compute", "Amazon Relational Database Service"}

// use asks how commitments were used. What could not be read is a part, and takes nothing from what is held. Every page is a request that costs: what the complete list has none of is not asked for, and
// where nothing was used, neither is what it covered.
func (c *Collector) use(ctx context.Context, period cost.Period, found []held, complete bool) ([]resource.CommitmentUse, []ingest.Part, error) {
	// Periods have to end before today by AWS's word, else Cost Explorer answers as if it had no data at all; and yesterday is not
	// complete, so that what is used of it would read as unused.
	if yesterday := cost.Day(c.now()).AddDate(0, 0, -1); period.End.After(yesterday) {
		period.End = yesterday
	}
	if !period.Start.Before(period.End) {
		return nil, nil, nil
	}
	var out []resource.CommitmentUse
	var parts []ingest.Part
	for _, read := range []struct {
		service, kind string
		use           func(context.Context, cost.Period, []held) ([]resource.CommitmentUse, error)
	}{{"savings-plans-use", planType, c.planUse}, {"reservation-use", reservationType, c.reservationUse}} {
		if complete && !holds(found, read.kind) {
			continue
		}
		use, err := read.use(ctx, period, found)
		if err == nil && len(use) == 0 && holds(found, read.kind) {
			err = fault.New(fault.Unavailable, "Cost Explorer has no data yet on the use of what is held.")
		}
		p := partOf(anywhere, read.service, c.account.id, err)
		switch {
		case fault.CodeOf(err) == fault.LimitReached && err != nil:
			p.Status = ingest.Limited
		case ctx.Err() != nil:
			return nil, nil, translate(ctx.Err(), read.service)
		}
		out, parts = append(out, use...), append(parts, p)
	}
	return out, parts, nil
}

// request makes one Cost Explorer request, metered and at its pace. Data that it does not have are no failure.
func request[T any](ctx context.Context, c *Collector, right string, call func(*costexplorer.Client) (T, error)) (out T, known bool, err error) {
	if err := c.meter.Spend(explorerRequests, 1, explorerPrice); err != nil {
		return out, false, err
	}
	if err := c.explorer.pass(ctx); err != nil {
		return out, false, translate(err, right)
	}
	out, err = call(costexplorer.NewFromConfig(c.account.in(global)))
	if _, none := errors.AsType[*types.DataUnavailableException](err); none {
		return out, false, nil
	}
	return out, err == nil, translate(err, right)
}

// paged asks until there are no more pages; next takes one in and tells the token of the one after.
func paged[T any](ctx context.Context, c *Collector, right string, call func(*costexplorer.Client, *string) (T, error), next func(T) (*string, error)) error {
	var token *string
	for seen := map[string]bool{}; ; {
		page, known, err := request(ctx, c, right, func(client *costexplorer.Client) (T, error) { return call(client, token) })
		if err != nil || !known {
			return err
		}
		token, err = next(page)
		switch {
		case err != nil:
			return err
		case aws.ToString(token) == "":
			return nil
		case seen[*token]:
			return malformed("the same page token twice")
		}
		seen[*token] = true
	}
}

// planUse is the use of each savings plan, and of all together, with what they covered of what they could have.
func (c *Collector) planUse(ctx context.Context, period cost.Period, _ []held) ([]resource.CommitmentUse, error) {
	var out []resource.CommitmentUse
	all := resource.CommitmentUse{Cloud: resource.AWS, Account: c.account.id, Type: planType, Period: period}
	err := paged(ctx, c, planUseRight, func(client *costexplorer.Client, token *string) (*costexplorer.GetSavingsPlansUtilizationDetailsOutput, error) {
		return client.GetSavingsPlansUtilizationDetails(ctx, &costexplorer.GetSavingsPlansUtilizationDetailsInput{TimePeriod: interval(period), NextToken: token, MaxResults: aws.Int32(100),
			DataType: []types.SavingsPlansDataType{types.SavingsPlansDataTypeUtilization}})
	}, func(page *costexplorer.GetSavingsPlansUtilizationDetailsOutput) (*string, error) {
		for _, d := range page.SavingsPlansUtilizationDetails {
			u := all
			u.Commitment = aws.ToString(d.SavingsPlanArn)
			if parts := strings.Split(u.Commitment, ":"); len(parts) > 4 { // arn:aws:savingsplans::123456789012:savingsplan/...
				u.Account = parts[4]
			}
			if err := used(&u, d.Utilization); err != nil {
				return nil, err
			}
			out = append(out, u)
		}
		if page.Total != nil {
			return page.NextToken, used(&all, page.Total.Utilization)
		}
		return page.NextToken, nil
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	var covered, total decimal.Decimal
	err = paged(ctx, c, planCoverRight, func(client *costexplorer.Client, token *string) (*costexplorer.GetSavingsPlansCoverageOutput, error) {
		return client.GetSavingsPlansCoverage(ctx, &costexplorer.GetSavingsPlansCoverageInput{TimePeriod: interval(period), Granularity: types.GranularityMonthly, NextToken: token, MaxResults: aws.Int32(100)})
	}, func(page *costexplorer.GetSavingsPlansCoverageOutput) (*string, error) {
		for _, s := range page.SavingsPlansCoverages {
			if s.Coverage == nil {
				continue
			}
			if err := add(s.Coverage.SpendCoveredBySavingsPlans, &covered, s.Coverage.TotalCost, &total); err != nil {
				return nil, err
			}
		}
		return page.NextToken, nil
	})
	all.Covered = share(covered, total)
	return append(out, all), err
}

// used takes over how much of a plan was used, in money.
func used(u *resource.CommitmentUse, found *types.SavingsPlansUtilization) error {
	if found == nil {
		return nil
	}
	var used, total, unused, none decimal.Decimal
	if err := errors.Join(add(found.UsedCommitment, &used, found.TotalCommitment, &total), add(found.UnusedCommitment, &unused, nil, &none)); err != nil {
		return err
	}
	u.Used, u.Unused, u.Currency = share(used, total), &unused, dollars
	return nil
}

// add adds two numbers of Cost Explorer up; one that it leaves out adds nothing.
func add(text *string, to *decimal.Decimal, other *string, toOther *decimal.Decimal) error {
	for _, n := range []struct {
		text *string
		to   *decimal.Decimal
	}{{text, to}, {other, toOther}} {
		if aws.ToString(n.text) == "" {
			continue
		}
		d, err := decimal.NewFromString(*n.text)
		if err != nil {
			return malformed("a use that is no number")
		}
		*n.to = n.to.Add(d)
	}
	return nil
}

// share is the part of the whole; nil where there is no whole.
func share(part, whole decimal.Decimal) *float64 {
	if !whole.IsPositive() {
		return nil
	}
	v := min(max(part.Div(whole).InexactFloat64(), 0), 1)
	return &v
}

// reservationSums are hours of reservations: bought, used, and run at all.
type reservationSums struct{ bought, used, unused, covered, running decimal.Decimal }

// reservationUse is the use of each reservation, and of all together.
func (c *Collector) reservationUse(ctx context.Context, period cost.Period, found []held) ([]resource.CommitmentUse, error) {
	var out []resource.CommitmentUse
	var sums reservationSums
	for _, service := range reservable {
		use, err := c.useOf(ctx, period, service, found, &sums)
		if err != nil {
			return nil, err
		}
		if len(use) == 0 {
			continue
		}
		out = append(out, use...)
		if err := c.coverOf(ctx, period, service, &sums); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return append(out, resource.CommitmentUse{Cloud: resource.AWS, Account: c.account.id, Type: reservationType, Period: period,
		Used: share(sums.used, sums.bought), Covered: share(sums.covered, sums.running), Unused: &sums.unused, Currency: dollars}), nil
}

// useOf is the use of one service's reservations, one by one.
func (c *Collector) useOf(ctx context.Context, period cost.Period, service string, found []held, sums *reservationSums) (out []resource.CommitmentUse, err error) {
	filter := only(types.DimensionService, service)
	err = paged(ctx, c, reservationUseRight, func(client *costexplorer.Client, token *string) (*costexplorer.GetReservationUtilizationOutput, error) {
		return client.GetReservationUtilization(ctx, &costexplorer.GetReservationUtilizationInput{TimePeriod: interval(period), Filter: &filter, NextPageToken: token,
			GroupBy: []types.GroupDefinition{group(types.DimensionSubscriptionId)}})
	}, func(page *costexplorer.GetReservationUtilizationOutput) (*string, error) {
		for _, t := range page.UtilizationsByTime {
			for _, g := range t.Groups {
				if g.Utilization == nil {
					continue
				}
				var used, bought, unused, none decimal.Decimal
				err := errors.Join(add(g.Utilization.TotalActualHours, &used, g.Utilization.PurchasedHours, &bought), add(g.Utilization.RICostForUnusedHours, &unused, nil, &none))
				if err != nil {
					return nil, err
				}
				owner, id := reservationOf(g, service, found)
				out = append(out, resource.CommitmentUse{Cloud: resource.AWS, Account: cmp.Or(owner, c.account.id), Type: reservationType, Commitment: id, Period: period,
					Used: share(used, bought), Unused: &unused, Currency: dollars})
				sums.used, sums.bought, sums.unused = sums.used.Add(used), sums.bought.Add(bought), sums.unused.Add(unused)
			}
		}
		return page.NextPageToken, nil
	})
	return out, err
}

// reservationOf names the reservation that a group is about: the one held under its lease, else as its attributes have it.
func reservationOf(g types.ReservationUtilizationGroup, service string, found []held) (owner, id string) {
	lease := g.Attributes["leaseId"]
	if i := slices.IndexFunc(found, func(h held) bool { return lease != "" && h.lease == lease }); i >= 0 {
		return found[i].Account, found[i].ID
	}
	owner = g.Attributes["accountId"]
	region := g.Attributes["region"]
	if service == reservable[0] && lease != "" && owner != "" && region != "" {
		return owner, place{account: account{id: owner}, region: region}.arn("reserved-instances", lease)
	}
	return owner, cmp.Or(lease, aws.ToString(g.Value))
}

// coverOf adds what reservations covered of all hours that machines ran.
func (c *Collector) coverOf(ctx context.Context, period cost.Period, service string, sums *reservationSums) error {
	filter := only(types.DimensionService, service)
	return paged(ctx, c, reservationCoverRight, func(client *costexplorer.Client, token *string) (*costexplorer.GetReservationCoverageOutput, error) {
		return client.GetReservationCoverage(ctx, &costexplorer.GetReservationCoverageInput{TimePeriod: interval(period), Filter: &filter, NextPageToken: token, Granularity: types.GranularityMonthly, Metrics: []string{"Hour"}})
	}, func(page *costexplorer.GetReservationCoverageOutput) (*string, error) {
		for _, t := range page.CoveragesByTime {
			if t.Total == nil || t.Total.CoverageHours == nil {
				continue
			}
			hours := t.Total.CoverageHours
			if err := add(hours.ReservedHours, &sums.covered, hours.TotalRunningHours, &sums.running); err != nil {
				return nil, err
			}
		}
		return page.NextPageToken, nil
	})
}
