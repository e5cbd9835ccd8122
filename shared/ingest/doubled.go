package ingest

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Doubled is a bill, or a part of one, that came through another connection as well, so that its costs count twice.
type Doubled struct {
	Connection     string          `json:"connection"` // the other one, which may have been removed
	BillingAccount string          `json:"billing_account"`
	Currency       cost.Currency   `json:"currency"`
	First          time.Time       `json:"first"`  // UTC days
	Last           time.Time       `json:"last"`   // the last one included
	Billed         decimal.Decimal `json:"billed"` // the sum of the amounts that are the same, without their signs
}

// Text says it for people.
func (d Doubled) Text() string {
	const day = "2006-01-02"
	return fmt.Sprintf("%s %s of the billing account %s, from %s to %s, came through the connection %s as well and counts twice. Remove one of the two, and then its bills with DELETE /api/v1/connections/{id}/bills.",
		d.Billed.StringFixed(2), d.Currency, d.BillingAccount, d.First.Format(day), d.Last.Format(day), d.Connection)
}
