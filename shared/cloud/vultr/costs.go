package vultr

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

const (
	accountPath  = "/v2/account"
	historyPath  = "/v2/billing/history"
	invoicesPath = "/v2/billing/invoices"
	pendingPath  = "/v2/billing/pending-charges"
)

// money is an amount as it is written, digit by digit.
type money struct{ decimal.Decimal }

// entry is an invoice, or a line of the billing history.
type entry struct {
	ID          int64  `json:"id"`
	Date        moment `json:"date"`
	Type        string `json:"type"`
	Description string `json:"description"`
	Amount      money  `json:"amount"`
}

// item is a line of an invoice, or a charge that no invoice has yet.
type item struct {
	Description string `json:"description"`
	Product     string `json:"product"`
	StartDate   moment `json:"start_date"`
	EndDate     moment `json:"end_date"`
	Units       *money `json:"units"`
	UnitType    string `json:"unit_type"`
	UnitPrice   *money `json:"unit_price"`
	Total       money  `json:"total"`
}

// Costs implements ingest.Collector. The bill of a month is the invoice of its usage, which Vultr writes on the first day of
// the next month, and before that the charges that are pending; both with the credits that were given in the month.
func (c *Collector) Costs(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		rows, _, err := c.CostsSince(ctx, month, nil)
		for _, row := range rows {
			if err != nil || !yield(row, nil) {
				break
			}
		}
		if err != nil {
			yield(focus.Row{}, err)
		}
	}
}

// CostsSince implements ingest.Differencer: what is pending has the days that it was read on.
func (c *Collector) CostsSince(ctx context.Context, start time.Time, known []byte) (rows []focus.Row, read []byte, err error) {
	month := cost.Month(start)
	now := c.now().UTC()
	if !month.Start.Before(now) {
		return nil, nil, nil
	}
	name, err := c.accountName(ctx)
	if err != nil {
		return nil, nil, err
	}
	owners, err := c.owners(ctx)
	if err != nil {
		return nil, nil, err
	}
	w := &writer{month: month, account: name, owners: owners, now: now}
	after, err := c.invoiced(ctx, w, known)
	if err != nil {
		return nil, nil, err
	}
	history, err := list[entry](ctx, c, historyPath, "billing_history")
	if err != nil {
		return nil, nil, err
	}
	for _, e := range history {
		if e.Type == "credit" && month.Contains(e.Date.Time) {
			w.credit(e)
		}
	}
	if len(after.Lines) > 0 {
		read, err = json.Marshal(after)
	}
	return w.rows, read, fault.Wrap(err, fault.Internal, "What was read of Vultr cannot be kept.")
}

// invoiced writes the items of the month's invoices, or what is pending of the month. An invoice that is being written between
// two questions would hide what is pending, or show it twice: so the invoices are asked for before and after.
func (c *Collector) invoiced(ctx context.Context, w *writer, known []byte) (tally, error) {
	before, err := list[entry](ctx, c, invoicesPath, "billing_invoices")
	if err != nil {
		return tally{}, err
	}
	var invoices []int64
	for _, invoice := range before {
		if !billed(invoice.Date.Time).Equal(w.month.Start) {
			continue
		}
		items, err := list[item](ctx, c, fmt.Sprintf("%s/%d/items", invoicesPath, invoice.ID), "invoice_items")
		if err != nil {
			return tally{}, err
		}
		w.invoice(invoice, items)
		invoices = append(invoices, invoice.ID)
	}
	pending, err := list[item](ctx, c, pendingPath, "pending_charges")
	if err != nil {
		return tally{}, err
	}
	after, err := list[entry](ctx, c, invoicesPath, "billing_invoices")
	if err != nil {
		return tally{}, err
	}
	if !slices.EqualFunc(before, after, func(a, b entry) bool { return a.ID == b.ID }) {
		return tally{}, fault.New(fault.Unavailable, "Vultr is writing an invoice just now; try again in a moment.")
	}
	running := cost.MonthStart(w.now)
	last := running.AddDate(0, -1, 0)
	awaited := !slices.ContainsFunc(before, func(e entry) bool { return billed(e.Date.Time).Equal(last) })
	var own []item
	for _, i := range pending {
		of := running
		if awaited && !i.StartDate.IsZero() && i.StartDate.Before(running) {
			of = last
		}
		if of.Equal(w.month.Start) {
			own = append(own, i)
		}
	}
	return w.pending(own, w.known(known, invoices), invoices), nil
}

// lateness is how long after the end of a month its invoice may come and still be known as its own.
const lateness = 72 * time.Hour

// billed is the month that an invoice of the date bills. Every invoice bills exactly one, so that none is lost or counted twice.
func billed(date time.Time) time.Time { return cost.MonthStart(date.Add(-lateness)) }

// accountName is the name under which the account is billed here.
func (c *Collector) accountName(ctx context.Context) (string, error) {
	if c.account != "" {
		return c.account, nil
	}
	body, err := c.get(ctx, accountPath, nil)
	if err != nil {
		return "", err
	}
	var account struct {
		Name string `json:"name"`
	}
	if _, err := open(body, "account", &account); err != nil {
		return "", err
	}
	if account.Name == "" {
		return "", fault.New(fault.Unprocessable, "The account has no name at Vultr. Name it in the connection's setting account.")
	}
	return account.Name, nil
}
