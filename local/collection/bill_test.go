package collection_test

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const day = 24 * time.Hour

// bills are what all connections are billed: every month has so many rows, and row n of a month the amount of that name.
type bills struct {
	now  time.Time // when everything was set up; the clouds know nothing later
	rows int       // of each month of each connection
	of   []account
}

// account is one connection, with its number, by which every cloud knows it.
type account struct {
	number int
	ingest.Connection

	secret string
}

// months are those that are collected: the running one and the one before.
func (b *bills) months() []time.Time {
	this := cost.MonthStart(b.now)
	return []time.Time{this.AddDate(0, -1, 0), this}
}

// days is how many days of the month have charges.
func (b *bills) days(month time.Time) int {
	period := cost.Month(month)
	if tomorrow := cost.Days(b.now, 1).End; tomorrow.Before(period.End) {
		period.End = tomorrow
	}
	return int(period.End.Sub(period.Start) / day)
}

// amount is that of row n of a month: to a hundredth of a cent, and no two rows of a connection have the same.
func (b *bills) amount(number int, month time.Time, n int) decimal.Decimal {
	return decimal.New(int64(month.Month())*1_000_003+int64(number)*7+int64(n)*101, -4)
}

// expected are the amounts of all rows that collecting the connection has to bring, in no order.
func (b *bills) expected(a account) (all []string) {
	for i, month := range b.months() {
		for n := range b.rows {
			amount := b.amount(a.number, month, n)
			if a.Cloud == resource.Vultr && i == 0 {
				amount = b.amount(a.number, month, n/invoicedDays) // the item, on each of its days
			}
			all = append(all, amount.String())
		}
	}
	return all
}

// page bounds a page of a list of so many.
func page(from, size, all int) (to int, more bool) {
	to = min(from+size, all)
	return to, to < all
}

// register names count connections of each cloud.
func (b *bills) register(settings map[resource.Cloud]func(number int) (map[string]string, string), count int) {
	for _, cloud := range resource.Clouds {
		for range count {
			number := len(b.of) + 1
			of, secret := settings[cloud](number)
			c := ingest.Connection{Tenant: tenantID, ID: fmt.Sprintf("%s-%03d", cloud, number), Cloud: cloud, Name: fmt.Sprintf("Number %d", number), Settings: of}
			if secret != "" {
				c.Secret = ingest.SecretName(c.Tenant, c.ID)
			}
			b.of = append(b.of, account{number, c, secret})
		}
	}
}
