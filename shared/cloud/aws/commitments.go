package aws

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	machine "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	database "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/savingsplans"
	"github.com/aws/aws-sdk-go-v2/service/savingsplans/types"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

var _ ingest.CommitmentReader = (*Collector)(nil)

const (
	planRight          = "savingsplans:DescribeSavingsPlans"
	reservationRight   = "ec2:DescribeReservedInstances"
	dbReservationRight = "rds:DescribeReservedDBInstances"
	// anywhere stands for the region of what has none.
	anywhere = "global"
)

// held is a commitment with the lease by which Cost Explorer knows it.
type held struct {
	resource.Commitment
	lease string
}

// Commitments implements ingest.CommitmentReader: savings plans, and reservations of EC2 and RDS, of every account that the
// connection reads, with what Cost Explorer tells of their use. Where its limit of spending is reached there is no use, and a
// part says so.
func (c *Collector) Commitments(ctx context.Context, period cost.Period) (ingest.Commitments, error) {
	if c.settings.noCommitments {
		return ingest.Commitments{}, nil
	}
	found, parts, err := c.held(ctx)
	if err != nil {
		return ingest.Commitments{}, err
	}
	var out ingest.Commitments
	for _, h := range found {
		out.Held = append(out.Held, h.Commitment)
	}
	complete := ingest.Whole(parts) && (c.settings.memberRole != "" || c.alone(ctx, found))
	use, used, err := c.use(ctx, period, found, complete)
	if err != nil {
		return ingest.Commitments{}, err
	}
	out.Use, out.Parts = use, slices.Concat(parts, used)
	return out, nil
}

// alone reports whether the account is the only one whose commitments Cost Explorer tells it of: it manages no others. That is not
// asked for where there is something of each kind anyway.
func (c *Collector) alone(ctx context.Context, found []held) bool {
	if holds(found, planType) && holds(found, reservationType) {
		return false
	}
	out, err := organizations.NewFromConfig(c.account.in(global)).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return codeOf(err) == "AWSOrganizationsNotInUseException"
	}
	return out.Organization != nil && aws.ToString(out.Organization.MasterAccountId) != c.account.id
}

func holds(found []held, kind string) bool {
	return slices.ContainsFunc(found, func(h held) bool { return h.Type == kind })
}

// promise is one kind of commitment in one region.
type promise struct {
	place   place
	service string
	read    func(context.Context, place) ([]held, error)
}

// held lists what is held, and how reading each account and region went. A region that is not switched on holds nothing.
func (c *Collector) held(ctx context.Context) ([]held, []ingest.Part, error) {
	accounts, err := c.accounts(ctx)
	var parts []ingest.Part
	if err != nil {
		parts = append(parts, partOf(anywhere, "organizations", "", err))
	}
	var promises []promise
	for _, a := range accounts {
		promises = append(promises, promise{place{a, global, c}, "savings-plans", plans})
		regions, err := c.regions(ctx, a)
		if err != nil {
			parts = append(parts, partOf(anywhere, "reserved-instances", a.id, err))
		}
		for _, r := range regions {
			if !r.disabled {
				at := place{a, r.name, c}
				promises = append(promises, promise{at, "reserved-instances", reservations}, promise{at, "reserved-db-instances", databaseReservations})
			}
		}
	}
	var mu sync.Mutex
	var out []held
	err = each(ctx, promises, func(ctx context.Context, p promise) error {
		found, err := p.read(ctx, p.place)
		region := p.place.region
		if p.service == "savings-plans" {
			region = anywhere
		}
		mu.Lock()
		defer mu.Unlock()
		out, parts = append(out, found...), append(parts, partOf(region, p.service, p.place.account.id, err))
		return nil
	})
	slices.SortFunc(out, func(a, b held) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(parts, byStatus)
	return out, parts, err
}

// heldStates are those of plans that discount usage, or will.
var heldStates = []types.SavingsPlanState{types.SavingsPlanStateActive, types.SavingsPlanStateQueued, types.SavingsPlanStatePaymentPending, types.SavingsPlanStatePendingReturn}

// plans lists the savings plans of an account. The SDK has no paginator for them.
func plans(ctx context.Context, p place) ([]held, error) {
	client := savingsplans.NewFromConfig(p.account.in(global))
	in := &savingsplans.DescribeSavingsPlansInput{States: heldStates}
	var out []held
	for seen := map[string]bool{}; ; {
		page, err := client.DescribeSavingsPlans(ctx, in)
		if err != nil {
			return nil, translate(err, planRight)
		}
		for _, s := range page.SavingsPlans {
			h, err := p.plan(s)
			if err != nil {
				return nil, err
			}
			out = append(out, h)
		}
		token := aws.ToString(page.NextToken)
		if token == "" {
			return out, nil
		}
		if seen[token] {
			return nil, fault.New(fault.Unavailable, "AWS answered %s with the same page token twice; try again in a moment.", planRight)
		}
		seen[token], in.NextToken = true, &token
	}
}

func (p place) plan(s types.SavingsPlan) (held, error) {
	promised, err := decimal.NewFromString(aws.ToString(s.Commitment))
	start, bad := time.Parse(time.RFC3339, aws.ToString(s.Start))
	end, worse := time.Parse(time.RFC3339, aws.ToString(s.End))
	if err = cmp.Or(err, bad, worse); err != nil {
		return held{}, fault.Wrap(err, fault.Unavailable, "AWS described a savings plan without its commitment or its term; try again in a moment.")
	}
	currency := cost.Currency(s.Currency)
	return held{Commitment: resource.Commitment{
		Cloud: resource.AWS, Account: p.account.id, Region: aws.ToString(s.Region), ID: aws.ToString(s.SavingsPlanArn),
		Name: cmp.Or(s.Tags["Name"], aws.ToString(s.Description), aws.ToString(s.SavingsPlanId)), Type: planType, Category: resource.SpendCommitment,
		Service: string(s.SavingsPlanType), Size: aws.ToString(s.Ec2InstanceFamily), Quantity: promised, Unit: string(currency) + "/hour",
		Hourly: &promised, Currency: currency, Payment: payment(string(s.PaymentOption)), Start: start.UTC(), End: end.UTC(), State: string(s.State),
	}}, nil
}

// payment is how AWS's words for it are written everywhere.
func payment(option string) string {
	switch option {
	case "All Upfront", "Partial Upfront", "No Upfront":
		return strings.ReplaceAll(strings.ToLower(option), " ", "_")
	}
	return ""
}

func reservations(ctx context.Context, p place) ([]held, error) {
	in := &ec2.DescribeReservedInstancesInput{Filters: []machine.Filter{{Name: aws.String("state"), Values: []string{"active", "payment-pending", "queued"}}}}
	list, err := ec2.NewFromConfig(p.account.in(p.region)).DescribeReservedInstances(ctx, in)
	if err != nil {
		return nil, translate(err, reservationRight)
	}
	var out []held
	for _, r := range list.ReservedInstances {
		id := aws.ToString(r.ReservedInstancesId)
		term := time.Duration(aws.ToInt64(r.Duration)) * time.Second
		recurring := single(r.UsagePrice)
		for _, charge := range r.RecurringCharges {
			recurring = recurring.Add(decimal.NewFromFloat(aws.ToFloat64(charge.Amount)))
		}
		h := p.reservation(p.arn("reserved-instances", id), string(r.InstanceType), r.InstanceCount, single(r.FixedPrice), recurring, term)
		h.Name, h.Service, h.lease, h.Payment, h.State = named(r.Tags, id), "Amazon Elastic Compute Cloud - Compute", id, payment(string(r.OfferingType)), string(r.State)
		h.Currency, h.Start, h.End = cost.Currency(r.CurrencyCode), aws.ToTime(r.Start).UTC(), aws.ToTime(r.End).UTC()
		out = append(out, h)
	}
	return out, nil
}

func named(tags []machine.Tag, otherwise string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == "Name" {
			return aws.ToString(t.Value)
		}
	}
	return otherwise
}

// single is the decimal that AWS wrote for a price that the SDK reads in single precision: the shortest that means the same.
func single(v *float32) decimal.Decimal {
	return decimal.RequireFromString(strconv.FormatFloat(float64(aws.ToFloat32(v)), 'f', -1, 32))
}

func databaseReservations(ctx context.Context, p place) ([]held, error) {
	var out []held
	for pages := rds.NewDescribeReservedDBInstancesPaginator(rds.NewFromConfig(p.account.in(p.region)), &rds.DescribeReservedDBInstancesInput{MaxRecords: aws.Int32(100)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, dbReservationRight)
		}
		for _, r := range page.ReservedDBInstances {
			if h := p.databaseReservation(r); h.End.After(p.find.now()) && h.State != "retired" && h.State != "payment-failed" {
				out = append(out, h)
			}
		}
	}
	return out, nil
}

func (p place) databaseReservation(r database.ReservedDBInstance) held {
	term := time.Duration(aws.ToInt32(r.Duration)) * time.Second
	recurring := decimal.NewFromFloat(aws.ToFloat64(r.UsagePrice))
	for _, charge := range r.RecurringCharges {
		recurring = recurring.Add(decimal.NewFromFloat(aws.ToFloat64(charge.RecurringChargeAmount)))
	}
	h := p.reservation(aws.ToString(r.ReservedDBInstanceArn), aws.ToString(r.DBInstanceClass), r.DBInstanceCount, decimal.NewFromFloat(aws.ToFloat64(r.FixedPrice)), recurring, term)
	h.Name, h.Service, h.lease, h.Payment, h.State = aws.ToString(r.ReservedDBInstanceId), "Amazon Relational Database Service", aws.ToString(r.LeaseId), payment(aws.ToString(r.OfferingType)), aws.ToString(r.State)
	h.Currency, h.Start = cost.Currency(aws.ToString(r.CurrencyCode)), aws.ToTime(r.StartTime).UTC()
	h.End = h.Start.Add(term)
	return h
}

// reservation is one of so many machines. Prices are those of one machine: fixed for the term, recurring for each hour.
func (p place) reservation(id, size string, count *int32, fixed, recurring decimal.Decimal, term time.Duration) held {
	machines := decimal.NewFromInt32(aws.ToInt32(count))
	h := held{Commitment: resource.Commitment{
		Cloud: resource.AWS, Account: p.account.id, Region: p.region, ID: id, Type: reservationType, Category: resource.UsageCommitment,
		Size: size, Quantity: machines, Unit: "instances",
	}}
	if hours := decimal.NewFromInt(int64(term / time.Hour)); hours.IsPositive() {
		const digits = 10 // as AWS writes amortised rates
		hourly := fixed.DivRound(hours, digits).Add(recurring).Mul(machines)
		h.Hourly = &hourly
	}
	return h
}
