package azure

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// benefit is a reservation or a savings plan, which have the same shape.
type benefit struct {
	armResource

	SKU struct {
		Name string `json:"name"`
	} `json:"sku"`
	Properties struct {
		DisplayName          string      `json:"displayName"`
		ReservedResourceType string      `json:"reservedResourceType"` // of reservations
		Quantity             json.Number `json:"quantity"`             // of reservations
		Commitment           *struct {   // of savings plans
			CurrencyCode string      `json:"currencyCode"`
			Amount       json.Number `json:"amount"`
		} `json:"commitment"`
		AppliedScopes []string `json:"appliedScopes"` // of reservations
		AppliedTo     struct { // of both
			SubscriptionID  string `json:"subscriptionId"`
			ResourceGroupID string `json:"resourceGroupId"`
		} `json:"appliedScopeProperties"`
		BillingScopeID    string `json:"billingScopeId"`
		BillingPlan       string `json:"billingPlan"`
		ProvisioningState string `json:"provisioningState"`
		BenefitStartTime  string `json:"benefitStartTime"`
		EffectiveDateTime string `json:"effectiveDateTime"`
		ExpiryDateTime    string `json:"expiryDateTime"`
		ExpiryDate        string `json:"expiryDate"`
	} `json:"properties"`
}

// What commitments are read from, as permissions name it.
const (
	reservationsRead = "Microsoft.Capacity/reservations"
	ordersRead       = "Microsoft.Capacity/reservationOrders"
	summariesRead    = "Microsoft.Consumption/reservationSummaries"
	plansRead        = "Microsoft.BillingBenefits/savingsPlans"
	benefitUseRead   = "Microsoft.CostManagement/benefitUtilizationSummaries"
)

// Commitments implements ingest.CommitmentReader: the reservations and savings plans that the connection may see in the whole
// directory, and their use day by day, added up. Each is one part; Azure shows what may not be seen as if it were not there.
func (c *Collector) Commitments(ctx context.Context, period cost.Period) (ingest.Commitments, error) {
	if !period.Start.Equal(cost.Day(period.Start)) || !period.End.Equal(cost.Day(period.End)) || !period.Start.Before(period.End) {
		return ingest.Commitments{}, fault.Input("period", period.String(), "has to be whole days in UTC")
	}
	r := &commitmentReading{c: c, period: period, out: ingest.Commitments{Held: []resource.Commitment{}, Use: []resource.CommitmentUse{}}}
	for _, read := range []func(context.Context) error{r.reservations, r.plans} {
		if err := read(ctx); err != nil {
			return ingest.Commitments{}, err
		}
	}
	slices.SortFunc(r.out.Held, func(a, b resource.Commitment) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.out.Use, func(a, b resource.CommitmentUse) int { return cmp.Compare(a.Commitment, b.Commitment) })
	return r.out, nil
}

type commitmentReading struct {
	c      *Collector
	period cost.Period
	out    ingest.Commitments
}

// told notes how reading a service went, the worst of several times. Only what is worth another attempt of the whole is an error.
func (r *commitmentReading) told(service string, failure error) error {
	if code := fault.CodeOf(failure); failure != nil && (code == fault.Throttled || errors.Is(failure, context.Canceled) || errors.Is(failure, context.DeadlineExceeded)) {
		return failure
	}
	status, reason := outcome(failure)
	part := ingest.Part{Service: service, Status: status, Reason: reason}
	i := slices.IndexFunc(r.out.Parts, func(p ingest.Part) bool { return p.Service == service })
	switch {
	case i < 0:
		r.out.Parts = append(r.out.Parts, part)
	case severity[status] > severity[r.out.Parts[i].Status]:
		r.out.Parts[i] = part
	}
	return nil
}

// list reads benefits that are held and wanted.
func (r *commitmentReading) list(ctx context.Context, service, operation string) ([]benefit, error) {
	var held []benefit
	subscriptions, now := r.c.list("subscriptions"), r.c.options.Now()
	q := listing{operation, "/providers/" + service, url.Values{"api-version": {"2022-11-01"}}, service}
	for b, err := range answers[benefit](ctx, r.c, q) {
		if err != nil {
			return nil, r.told(service, err)
		}
		theirs := slices.ContainsFunc(b.scopes(), func(scope string) bool { return wanted(subscriptions, subscriptionIn(scope)) })
		over := slices.Contains(ended, b.Properties.ProvisioningState) || !b.end().IsZero() && !b.end().After(now)
		if theirs && !over {
			held = append(held, b)
		}
	}
	return held, r.told(service, nil)
}

// scopes are where it is paid and where it discounts; the latter are none where it is shared by all subscriptions.
func (b benefit) scopes() []string {
	p := b.Properties
	return append(slices.Clone(p.AppliedScopes), p.BillingScopeID, p.AppliedTo.SubscriptionID, p.AppliedTo.ResourceGroupID)
}

// ended are the states of benefits that no longer give any.
var ended = []string{"Cancelled", "Expired", "Failed", "BillingFailed", "Split", "Merged"}

func (r *commitmentReading) reservations(ctx context.Context) error {
	held, err := r.list(ctx, reservationsRead, "ReservationClient.NewListAllPager")
	if err != nil {
		return err
	}
	prices := once(r, ordersRead, func(order string) (orderPrice, error) { return r.orderPrice(ctx, order) })
	uses := once(r, summariesRead, func(order string) (map[string]share, error) { return r.reservationUse(ctx, order) })
	for _, b := range held {
		h := b.reservation()
		if h.Payment != allUpfront { // only what is paid by the month has a schedule
			price, err := prices(b.order())
			if err != nil {
				return err
			}
			h.Hourly, h.Currency = price.hourly(b, h.Quantity)
		}
		use, err := uses(b.order())
		if err != nil {
			return err
		}
		r.add(h, use[lastSegment(h.ID)], h.Quantity)
	}
	return nil
}

func (r *commitmentReading) plans(ctx context.Context) error {
	held, err := r.list(ctx, plansRead, "SavingsPlanClient.NewListAllPager")
	if err != nil {
		return err
	}
	uses := once(r, benefitUseRead, func(order string) (map[string]share, error) { return r.planUse(ctx, order) })
	for _, b := range held {
		use, err := uses(b.order())
		if err != nil {
			return err
		}
		h := b.plan()
		r.add(h, use[lastSegment(h.ID)], one)
	}
	return nil
}

// once makes a reader that asks for each order one time, and notes how that went. What could not be read is nothing.
func once[T any](r *commitmentReading, service string, read func(order string) (T, error)) func(order string) (T, error) {
	known := map[string]T{}
	return func(order string) (T, error) {
		if thing, ok := known[order]; ok {
			return thing, nil
		}
		thing, err := read(order)
		known[order] = thing
		return thing, r.told(service, err)
	}
}

// add notes a commitment and, where it is known, its use. An hour of it promises so many hours of what it is for.
func (r *commitmentReading) add(h resource.Commitment, used share, perHour decimal.Decimal) {
	r.out.Held = append(r.out.Held, h)
	part, ok := used.of()
	if !ok {
		return
	}
	use := resource.CommitmentUse{Cloud: h.Cloud, Account: h.Account, Type: h.Type, Commitment: h.ID, Period: r.period, Used: &part}
	if h.Hourly != nil && perHour.IsPositive() {
		unused := h.Hourly.Mul(used.idle()).DivRound(perHour, digits)
		use.Unused, use.Currency = &unused, h.Currency
	}
	r.out.Use = append(r.out.Use, use)
}

// reservation is a commitment to so many of something.
func (b benefit) reservation() resource.Commitment {
	h := b.commitment()
	h.Type, h.Category = "Reservation", resource.UsageCommitment
	h.Region, h.Service = strings.ToLower(b.Location), b.Properties.ReservedResourceType
	h.Unit = cmp.Or(reservedUnits[strings.ToLower(h.Service)], "units")
	h.Quantity, _ = decimal.NewFromString(b.Properties.Quantity.String())
	h.Payment = map[string]string{"Upfront": allUpfront, "Monthly": noUpfront}[b.Properties.BillingPlan]
	return h
}

// How commitments are paid.
const (
	allUpfront = "all_upfront"
	noUpfront  = "no_upfront"
)

// reservedUnits are what reservations count; most other kinds count units of their own.
var reservedUnits = map[string]string{
	"virtualmachines": "instances", "dedicatedhost": "instances", "sqldatabases": "vCPU", "postgresql": "vCPU", "mysql": "vCPU", "mariadb": "vCPU",
}

// plan is a commitment to so much money an hour.
func (b benefit) plan() resource.Commitment {
	h := b.commitment()
	h.Type, h.Category = "Savings Plan", resource.SpendCommitment
	h.Service, h.Size = strings.TrimSuffix(b.SKU.Name, "_Savings_Plan"), ""
	h.Payment = allUpfront
	if b.Properties.BillingPlan != "" { // such as P1M
		h.Payment = noUpfront
	}
	if promised := b.Properties.Commitment; promised != nil {
		currency := cost.Currency(promised.CurrencyCode)
		if amount, err := decimal.NewFromString(promised.Amount.String()); err == nil && currency.Valid() {
			h.Quantity, h.Hourly, h.Currency, h.Unit = amount, &amount, currency, promised.CurrencyCode+"/hour"
		}
	}
	return h
}

func (b benefit) commitment() resource.Commitment {
	return resource.Commitment{
		Cloud: resource.Azure, Account: subscriptionIn(b.Properties.BillingScopeID), ID: strings.ToLower(b.ID), Name: b.Properties.DisplayName,
		Size: b.SKU.Name, Start: b.start(), End: b.end(), State: b.Properties.ProvisioningState,
	}
}

func (b benefit) start() time.Time {
	return firstInstant(b.Properties.BenefitStartTime, b.Properties.EffectiveDateTime)
}
func (b benefit) end() time.Time {
	return firstInstant(b.Properties.ExpiryDateTime, b.Properties.ExpiryDate)
}

// order is the id of the order that it was bought with.
func (b benefit) order() string {
	id := strings.ToLower(b.ID)
	for _, mark := range []string{"/reservationorders/", "/savingsplanorders/"} {
		if _, rest, ok := strings.Cut(id, mark); ok {
			order, _, _ := strings.Cut(rest, "/")
			return order
		}
	}
	return ""
}

// firstInstant is the first of the texts that is an instant or a day.
func firstInstant(texts ...string) time.Time {
	for _, text := range texts {
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if at, err := time.Parse(layout, text); err == nil {
				return at.UTC()
			}
		}
	}
	return time.Time{}
}

// subscriptionIn is the id of the subscription in the id of something.
func subscriptionIn(id string) string {
	_, rest, _ := strings.Cut(strings.ToLower(id), "/subscriptions/")
	subscription, _, _ := strings.Cut(rest, "/")
	return subscription
}
