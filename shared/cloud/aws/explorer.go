package aws

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

const (
	explorerRequests = "Cost Explorer requests"
	costRight        = "ce:GetCostAndUsage"
	// history is how many months before the running one Cost Explorer keeps.
	history = 13
)

// explorerPrice is what AWS charges a request, USD; every page is one.
var explorerPrice = decimal.New(1, -2)

// errEnough ends a stream whose reader has gone.
var errEnough = errors.New("the reader wants no more rows")

// Costs implements ingest.Collector: from the data export that the settings name, else from Cost Explorer.
func (c *Collector) Costs(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		read := c.explore
		if c.settings.bucket != "" {
			read = c.readExport
		}
		err := read(ctx, cost.MonthStart(month), func(row focus.Row) error {
			if !yield(row, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(focus.Row{}, err)
		}
	}
}

// explore reads a month from Cost Explorer. The bill is cut once, by record type, and each cut is read by day, service and
// linked account. The cuts are disjoint and make up the bill, so that the sum of all rows is the bill; other views of the same
// costs are never read, because nothing could tell their rows apart. Where the month has one account only, the region takes the
// place of the account, for a request groups by two dimensions at most; and with the setting cost_tag a tag does, for which every
// account is a cut of its own.
// A month that Cost Explorer no longer keeps, or that has not begun, has no rows and costs nothing.
func (c *Collector) explore(ctx context.Context, month time.Time, emit func(focus.Row) error) error {
	now := c.now()
	if month.After(now) || month.Before(cost.MonthStart(now).AddDate(0, -history, 0)) {
		return nil
	}
	period := cost.Month(month)
	if tomorrow := cost.Day(now).AddDate(0, 0, 1); tomorrow.Before(period.End) {
		period.End = tomorrow
	}
	found, err := c.contents(ctx, period)
	if err != nil || len(found.kinds) == 0 {
		return err
	}
	payer, covered := c.payer(ctx), covering{}
	for _, cut := range c.cuts(found) {
		m := mapper{month: cost.Month(month), payer: payer, account: cut.account, accountName: found.names[cut.account], kind: kindOf(cut.kind), tag: c.settings.costTag, covered: covered}
		filter := []types.Expression{only(types.DimensionRecordType, cut.kind)}
		by := group(types.DimensionLinkedAccount)
		switch {
		case m.tag != "":
			filter = append(filter, only(types.DimensionLinkedAccount, cut.account))
			by = types.GroupDefinition{Type: types.GroupDefinitionTypeTag, Key: &m.tag}
		case cut.account != "":
			by = group(types.DimensionRegion)
		}
		in := &costexplorer.GetCostAndUsageInput{
			TimePeriod: interval(period), Granularity: types.GranularityDaily, Metrics: []string{unblended, amortized},
			GroupBy: []types.GroupDefinition{group(types.DimensionService), by}, Filter: c.filter(filter...),
		}
		if err := c.pages(ctx, in, func(day types.ResultByTime, names map[string]string) error { return m.rows(day, names, emit) }); err != nil {
			return err
		}
	}
	if len(c.settings.tags) > 0 { // negations have no tags, so that nothing took the covered usage off
		return nil
	}
	return covered.rows(cost.Month(month), emit)
}

// contents are the record types of a period, each with its linked accounts, and the names of those.
type contents struct {
	kinds map[string]map[string]bool
	names map[string]string
}

// cut is a part of the bill that is read by itself.
type cut struct{ kind, account string }

// cuts are disjoint, and are all of the bill, in order. The account is given where it does not come with the rows.
func (c *Collector) cuts(found contents) (out []cut) {
	for _, kind := range slices.Sorted(maps.Keys(found.kinds)) {
		switch {
		case c.settings.costTag != "":
			for _, account := range slices.Sorted(maps.Keys(found.kinds[kind])) {
				out = append(out, cut{kind, account})
			}
		case len(found.names) == 1:
			for account := range found.names {
				out = append(out, cut{kind, account})
			}
		default:
			out = append(out, cut{kind: kind})
		}
	}
	return out
}

// contents asks what a period consists of.
func (c *Collector) contents(ctx context.Context, period cost.Period) (contents, error) {
	in := &costexplorer.GetCostAndUsageInput{
		TimePeriod: interval(period), Granularity: types.GranularityMonthly, Metrics: []string{unblended}, Filter: c.filter(),
		GroupBy: []types.GroupDefinition{group(types.DimensionRecordType), group(types.DimensionLinkedAccount)},
	}
	found := contents{kinds: map[string]map[string]bool{}, names: map[string]string{}}
	err := c.pages(ctx, in, func(r types.ResultByTime, names map[string]string) error {
		for _, g := range r.Groups {
			if len(g.Keys) != 2 {
				return malformed("a group without its two keys")
			}
			kind, account := g.Keys[0], g.Keys[1]
			if found.kinds[kind] == nil {
				found.kinds[kind] = map[string]bool{}
			}
			found.kinds[kind][account], found.names[account] = true, cmp.Or(names[account], found.names[account])
		}
		return nil
	})
	return found, err
}

// pages reads all pages of a query; the SDK has no paginator for it. A token that comes again would never end, and is refused.
// names are those of the accounts on the page.
func (c *Collector) pages(ctx context.Context, in *costexplorer.GetCostAndUsageInput, each func(types.ResultByTime, map[string]string) error) error {
	client := costexplorer.NewFromConfig(c.account.in(global))
	request, seen := *in, map[string]bool{}
	for {
		if err := c.meter.Spend(explorerRequests, 1, explorerPrice); err != nil {
			return err
		}
		if err := c.explorer.pass(ctx); err != nil {
			return translate(err, costRight)
		}
		out, err := client.GetCostAndUsage(ctx, &request)
		if err != nil {
			return translateExplorer(err)
		}
		names := map[string]string{}
		for _, v := range out.DimensionValueAttributes {
			names[aws.ToString(v.Value)] = v.Attributes["description"]
		}
		for _, r := range out.ResultsByTime {
			if err := each(r, names); err != nil {
				return err
			}
		}
		token := aws.ToString(out.NextPageToken)
		if token == "" {
			return nil
		}
		if seen[token] {
			return malformed("the same page token twice")
		}
		seen[token], request.NextPageToken = true, &token
	}
}

func translateExplorer(err error) error {
	if _, ok := errors.AsType[*types.DataUnavailableException](err); ok {
		return fault.Wrap(err, fault.Unprocessable, "Cost Explorer has no data yet. Switch it on in the billing console; its first data comes within 24 hours.")
	}
	return translate(err, costRight)
}

func malformed(what string) error {
	return fault.New(fault.Unavailable, "Cost Explorer answered with %s; nothing was taken from it. Try again in a moment.", what)
}

// filter narrows a query down to the connection's accounts, services and tags, and whatever else is given.
func (c *Collector) filter(more ...types.Expression) *types.Expression {
	if len(c.settings.accounts) > 0 {
		more = append(more, only(types.DimensionLinkedAccount, c.settings.accounts...))
	}
	if len(c.settings.service) > 0 {
		more = append(more, only(types.DimensionService, c.settings.service...))
	}
	if len(c.settings.tags) > 0 {
		var wanted []types.Expression
		for _, t := range c.settings.tags {
			wanted = append(wanted, t.expression())
		}
		more = append(more, *joined(wanted, func(e []types.Expression) *types.Expression { return &types.Expression{Or: e} }))
	}
	return joined(more, func(e []types.Expression) *types.Expression { return &types.Expression{And: e} })
}

// joined leaves one expression as it is, for Cost Explorer joins no fewer than two.
func joined(all []types.Expression, join func([]types.Expression) *types.Expression) *types.Expression {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &all[0]
	}
	return join(all)
}

// expression asks for charges with the tag, which has to be a cost allocation tag.
func (t wantedTag) expression() types.Expression {
	if t.any {
		absent := types.Expression{Tags: &types.TagValues{Key: &t.key, MatchOptions: []types.MatchOption{types.MatchOptionAbsent}}}
		return types.Expression{Not: &absent}
	}
	return types.Expression{Tags: &types.TagValues{Key: &t.key, Values: []string{t.value}, MatchOptions: []types.MatchOption{types.MatchOptionEquals}}}
}

func only(d types.Dimension, values ...string) types.Expression {
	return types.Expression{Dimensions: &types.DimensionValues{Key: d, Values: values}}
}

func group(d types.Dimension) types.GroupDefinition {
	return types.GroupDefinition{Type: types.GroupDefinitionTypeDimension, Key: aws.String(string(d))}
}

func interval(p cost.Period) *types.DateInterval {
	return &types.DateInterval{Start: aws.String(p.Start.Format(time.DateOnly)), End: aws.String(p.End.Format(time.DateOnly))}
}

// payer is the account that pays: the organisation's management account where the role may know it, else the role's own.
func (c *Collector) payer(ctx context.Context) string {
	out, err := organizations.NewFromConfig(c.account.in(global)).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil || out.Organization == nil || aws.ToString(out.Organization.MasterAccountId) == "" {
		return c.account.id
	}
	return *out.Organization.MasterAccountId
}
