package ingest

import (
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// Snapshot is one reading of a connection, the JSON document that collection stages and loading stores: what exists, how it
// was used and what it would cost.
type Snapshot struct {
	Inventory
	Usage  []resource.Usage `json:"usage"`
	Prices []resource.Price `json:"prices"`
	// Beside are the parts of all that was read beside what exists: they say nothing about that.
	Beside []Part    `json:"beside"`
	At     time.Time `json:"at"` // when the reading began
}
