package azure

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// share is how much of what was promised was used, in hours.
type share struct{ promised, used decimal.Decimal }

// of is the share itself, from 0 to 1, where anything was promised.
func (s share) of() (float64, bool) {
	if !s.promised.IsPositive() {
		return 0, false
	}
	return max(0, min(1, s.used.DivRound(s.promised, digits).InexactFloat64())), true
}

// idle are the hours that were not used.
func (s share) idle() decimal.Decimal { return decimal.Max(decimal.Zero, s.promised.Sub(s.used)) }

func (s share) add(promised, used decimal.Decimal) share {
	return share{s.promised.Add(promised), s.used.Add(used)}
}

// daysQuestion asks for the days of the period, both of which belong to it.
func (r *commitmentReading) daysQuestion(version string) url.Values {
	first, last := r.period.Start.Format(time.DateOnly), r.period.End.AddDate(0, 0, -1).Format(time.DateOnly)
	return url.Values{"api-version": {version}, "$filter": {"properties/usageDate ge " + first + " AND properties/usageDate le " + last}}
}

// reservationUse adds up the use of the reservations of an order, by their ids.
func (r *commitmentReading) reservationUse(ctx context.Context, order string) (map[string]share, error) {
	query := r.daysQuestion("2021-10-01")
	query.Set("grain", "daily")
	q := listing{
		"ReservationsSummariesClient.NewListByReservationOrderPager",
		"/providers/Microsoft.Capacity/reservationorders/" + url.PathEscape(order) + "/providers/Microsoft.Consumption/reservationSummaries",
		query, "the use of the reservation order " + order,
	}
	type summary struct {
		Properties struct {
			ReservationID string      `json:"reservationId"`
			UsageDate     time.Time   `json:"usageDate"`
			ReservedHours json.Number `json:"reservedHours"`
			UsedHours     json.Number `json:"usedHours"`
		} `json:"properties"`
	}
	shares := map[string]share{}
	for s, err := range answers[summary](ctx, r.c, q) {
		if err != nil {
			return nil, err
		}
		p := s.Properties
		promised, badPromise := decimal.NewFromString(p.ReservedHours.String())
		used, badUse := decimal.NewFromString(p.UsedHours.String())
		if badPromise != nil || badUse != nil {
			return nil, broken(cmp.Or(badPromise, badUse), q.what)
		}
		if !r.period.Contains(p.UsageDate) {
			continue
		}
		id := lastSegment(strings.ToLower(p.ReservationID))
		shares[id] = shares[id].add(promised, used)
	}
	return shares, nil
}

// planUse adds up the use of the savings plans of an order, by their ids. Azure tells the share of each day.
func (r *commitmentReading) planUse(ctx context.Context, order string) (map[string]share, error) {
	query := r.daysQuestion("2022-10-01")
	query.Set("grainParameter", "Daily")
	q := listing{
		"BenefitUtilizationSummariesClient.NewListBySavingsPlanOrderPager",
		"/providers/Microsoft.BillingBenefits/savingsPlanOrders/" + url.PathEscape(order) + "/providers/Microsoft.CostManagement/benefitUtilizationSummaries",
		query, "the use of the savings plan order " + order,
	}
	type summary struct {
		Properties struct {
			BenefitID string      `json:"benefitId"`
			UsageDate time.Time   `json:"usageDate"`
			Percent   json.Number `json:"avgUtilizationPercentage"`
		} `json:"properties"`
	}
	shares := map[string]share{}
	day := decimal.NewFromInt(24)
	for s, err := range answers[summary](ctx, r.c, q) {
		if err != nil {
			return nil, err
		}
		percent, bad := decimal.NewFromString(s.Properties.Percent.String())
		if bad != nil {
			return nil, broken(bad, q.what)
		}
		if !r.period.Contains(s.Properties.UsageDate) {
			continue
		}
		id := lastSegment(strings.ToLower(s.Properties.BenefitID))
		shares[id] = shares[id].add(day, day.Mul(percent).Shift(-2))
	}
	return shares, nil
}

// orderPrice is what a whole order costs over its term.
type orderPrice struct {
	Properties struct {
		OriginalQuantity json.Number `json:"originalQuantity"`
		PlanInformation  struct {
			Total struct {
				CurrencyCode string      `json:"currencyCode"`
				Amount       json.Number `json:"amount"`
			} `json:"pricingCurrencyTotal"`
		} `json:"planInformation"`
	} `json:"properties"`
}

// orderPrice asks for an order with its schedule of payments, which only those paid by the month have.
func (r *commitmentReading) orderPrice(ctx context.Context, order string) (orderPrice, error) {
	return fetch[orderPrice](ctx, r.c, listing{
		"ReservationOrderClient.Get", "/providers/Microsoft.Capacity/reservationOrders/" + url.PathEscape(order),
		url.Values{"api-version": {"2022-11-01"}, "$expand": {"schedule"}}, "the reservation order " + order,
	})
}

// hourly is the part of an hour's price that falls to so many of what was ordered; nil where the order does not tell.
func (p orderPrice) hourly(b benefit, quantity decimal.Decimal) (*decimal.Decimal, cost.Currency) {
	price, currency := p.Properties.PlanInformation.Total.Amount, cost.Currency(p.Properties.PlanInformation.Total.CurrencyCode)
	total, badTotal := decimal.NewFromString(price.String())
	ordered, badCount := decimal.NewFromString(p.Properties.OriginalQuantity.String())
	seconds := decimal.NewFromInt(int64(b.end().Sub(b.start()) / time.Second))
	if badTotal != nil || badCount != nil || !currency.Valid() || b.start().IsZero() || !seconds.IsPositive() || !ordered.IsPositive() || !quantity.IsPositive() {
		return nil, ""
	}
	hourly := total.Mul(quantity).Mul(secondsInHour).DivRound(ordered.Mul(seconds), digits)
	return &hourly, currency
}

var secondsInHour = decimal.NewFromInt(int64(time.Hour / time.Second))
