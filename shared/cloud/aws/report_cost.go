package aws

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// The types of commitments, FOCUS CommitmentDiscountType.
const (
	planType        = "Savings Plan"
	reservationType = "Reserved Instance"
)

// The line item types that are not charged as they stand.
const (
	coveredUsage    = "savingsplancoveredusage"
	negation        = "savingsplannegation"
	planFee         = "savingsplanrecurringfee"
	planUpfrontFee  = "savingsplanupfrontfee"
	discountedUsage = "discountedusage"
	reservationFee  = "rifee"
	fee             = "fee"
	anyDiscount     = "discount" // the end of EdpDiscount, PrivateRateDiscount, BundledDiscount, SppDiscount
)

// costs are the four costs of FOCUS.
type costs struct{ billed, effective, list, contracted decimal.Decimal }

// costs follows AWS's own rules for amortised costs (User Guide of Data Exports, "Savings Plans and reservations in CUR"). What a
// discount has been taken off is preferred where the report has it: its sum over a bill is the same, for the discounts' own
// records are zero then.
//
// Usage that a savings plan covers stands in a report with its on-demand cost, and again, negative, in a negation. FOCUS bills
// covered usage at nothing, so both are nothing here; should they not cancel out, covering has what is left.
func (l *lineItem) costs(kind string) costs {
	cost := l.charge(kind)
	c := costs{cost, cost, cost, cost}
	switch kind {
	case coveredUsage:
		l.leave(cost)
		c.billed, c.effective = decimal.Zero, l.amount(netPlanCost, planCost)
		c.list = l.listed(cost)
	case negation:
		l.leave(cost)
		c = costs{}
	case planFee:
		c.effective = l.unusedPlan()
	case planUpfrontFee:
		c.effective = decimal.Zero
	case discountedUsage:
		c.effective = l.amount(netReservationCost, reservationCost)
		c.list = l.listed(c.effective)
		c.contracted = c.list
	case reservationFee:
		c.effective = l.unusedReservation()
	case fee:
		if len(l.cell(reservationARN)) > 0 { // paid upfront, and spread over what it covers
			c.effective = decimal.Zero
		}
	case "usage":
		c.list = l.listed(cost)
	}
	return c
}

// charge is what a line item itself comes to. A discount that AWS has taken off the other records' net costs counts for nothing,
// also where AWS leaves its net cost empty instead of writing zero. But CUR 2.0 has the column for net costs also where nothing in
// it has one, and there the discount's own record is all that there is of it: such a record waits until the bill is read.
func (l *lineItem) charge(kind string) decimal.Decimal {
	net := l.number(netUnblendedCost)
	switch {
	case !strings.HasSuffix(kind, anyDiscount):
		l.bill.netted = l.bill.netted || net.Valid
	case l.at[netUnblendedCost] >= 0 && !net.Valid:
		l.waits = true
	}
	return l.amount(netUnblendedCost, unblendedCost)
}

// split reports whether a line item only says which container used what share of an instance (split cost allocation data of ECS and
// EKS). The instance has a record with the whole charge; what a container's own record adds is no charge. Containers on Fargate
// have no instance, and their records are charges.
func (l *lineItem) split() bool {
	if len(l.cell(splitParent)) == 0 {
		return false
	}
	charge := l.either(netUnblendedCost, unblendedCost)
	return l.failed == nil && charge.Decimal.IsZero()
}

// listed is the cost at public prices. What has none, such as products of the marketplace, has the price zero in a report: then
// it is what was charged, for nobody sells at a list price of nothing.
func (l *lineItem) listed(charged decimal.Decimal) decimal.Decimal {
	if list := l.number(publicCost); list.Valid && !list.Decimal.IsZero() {
		return list.Decimal
	}
	return charged
}

// unusedPlan is what a savings plan has cost beyond what it covered. AWS tells it before discounts only; discounts take off the
// same share of it as of the whole fee.
func (l *lineItem) unusedPlan() decimal.Decimal {
	unused := l.amount(commitmentTotal).Sub(l.amount(commitmentUsed))
	netUpfront, netRecurring := l.number(netPlanUpfront), l.number(netPlanRecurring)
	whole := l.number(planUpfront).Decimal.Add(l.number(planRecurring).Decimal)
	if !netUpfront.Valid && !netRecurring.Valid || whole.IsZero() {
		return unused
	}
	const digits = 12 // AWS writes ten
	return unused.Mul(netUpfront.Decimal.Add(netRecurring.Decimal)).DivRound(whole, digits)
}

// unusedReservation is what a reservation has cost in hours in which nothing used it.
func (l *lineItem) unusedReservation() decimal.Decimal {
	upfront, recurring := l.either(netUnusedUpfront, unusedUpfront), l.either(netUnusedRecurring, unusedRecurring)
	if !upfront.Valid && !recurring.Valid {
		l.fail(unusedRecurring, "is missing")
	}
	return upfront.Decimal.Add(recurring.Decimal)
}

// bill is what only a whole bill tells, of all the files of a delivery together.
type bill struct {
	covered   covering
	netted    bool        // some charge has a net cost, which is without its discounts
	discounts []focus.Row // those that have none
}

func newBill() *bill { return &bill{covered: covering{}} }

// rest are the rows that had to wait for the end.
func (b *bill) rest(month cost.Period, emit func(focus.Row) error) error {
	for _, row := range b.discounts {
		if b.netted {
			row.BilledCost, row.EffectiveCost, row.ListCost, row.ContractedCost = decimal.Zero, decimal.Zero, decimal.Zero, decimal.Zero
		}
		if err := emit(row); err != nil {
			return err
		}
	}
	return b.covered.rows(month, emit)
}

// covering sums up what covered usage and negations of a bill come to, which is nothing when AWS has written both, by who pays for it.
type covering map[holder]decimal.Decimal

type holder struct {
	payer, payerName, account, accountName, issuer string
	currency                                       cost.Currency
}

func (l *lineItem) leave(amount decimal.Decimal) {
	h := holder{l.text(payerID), l.text(payerName), l.text(accountID), l.text(accountName), l.text(issuer), cost.Currency(l.text(currencyCode))}
	l.bill.covered[h] = l.bill.covered[h].Add(amount)
}

// noise is the number of decimals that count of a sum of floating point numbers, of which Parquet consists.
const noise = 9

// rows are adjustments of what did not cancel out, so that the sum of a bill's rows stays the bill.
func (c covering) rows(month cost.Period, emit func(focus.Row) error) error {
	order := func(a, b holder) int {
		return cmp.Or(cmp.Compare(a.payer, b.payer), cmp.Compare(a.account, b.account), cmp.Compare(a.currency, b.currency), cmp.Compare(a.issuer, b.issuer))
	}
	for _, h := range slices.SortedFunc(maps.Keys(c), order) {
		left := c[h].Round(noise)
		if left.IsZero() {
			continue
		}
		provider := resource.AWS.BillName()
		err := emit(focus.Row{
			BillingPeriod: month, ChargePeriod: month, BillingCurrency: h.currency, BilledCost: left, ListCost: left, ContractedCost: left,
			BillingAccountID: h.payer, BillingAccountName: h.payerName, SubAccountID: h.account, SubAccountName: h.accountName,
			ServiceProviderName: provider, HostProviderName: provider, InvoiceIssuerName: h.issuer,
			ServiceName: "Savings Plans", ServiceCategory: "Compute", ChargeCategory: "Adjustment", ChargeFrequency: "Usage-Based",
			ChargeDescription: "Usage covered by savings plans that is not negated yet",
			Extra:             map[string]string{"x_RecordType": "SavingsPlanNegation"},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// typeOf is a line item type as the rules name it.
func typeOf(text string) string { return strings.ToLower(strings.ReplaceAll(text, " ", "")) }
