package job

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// InventoryStore keeps what was read of a connection.
type InventoryStore interface {
	// SaveInventory stores a reading. Resources that it no longer holds are gone, but only where every part that they could
	// have been read from was read: a part that failed says nothing. An older reading than the stored one changes nothing.
	SaveInventory(ctx context.Context, t tenant.ID, connection string, s ingest.Snapshot) error
}

// DayCost is what the bill says about one resource on one day in one pricing unit: usage charges, without taxes, credits
// and purchases.
type DayCost struct {
	Day       time.Time
	Unit      string // FOCUS PricingUnit
	Quantity  decimal.NullDecimal
	Effective decimal.Decimal
	Currency  cost.Currency
}

// CostStore reads what single resources cost.
type CostStore interface {
	// ResourceCosts lists the charges of resources by id, each in the order of days. A resource or a day that the bill does
	// not hold has no entry.
	ResourceCosts(ctx context.Context, t tenant.ID, connection string, ids []string, period cost.Period) (map[string][]DayCost, error)
}
