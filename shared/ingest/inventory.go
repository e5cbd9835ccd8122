package ingest

import (
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// Snapshot is one reading of a connection, the JSON document that collection stages and loading stores: what exists, how it
// was used and what it would cost.
type Snapshot struct {
	Inventory
	Usage  []resource.Usage `json:"usage"`
	Prices []resource.Price `json:"prices"`
	// Commitments and Advice are nil where the cloud has none or they could not be read at all, of which Beside tells.
	Commitments *Commitments `json:"commitments,omitempty"`
	Advice      *Advice      `json:"advice,omitempty"`
	// Beside are the parts of all that was read beside what exists: they say nothing about that.
	Beside []Part    `json:"beside"`
	At     time.Time `json:"at"` // when the reading began
}

// Unread lists the parts that could not be read, those of the inventory first.
func (s Snapshot) Unread() []Part {
	return slices.DeleteFunc(slices.Concat(s.Parts, s.Beside), func(p Part) bool { return p.Status == OK })
}

// Whole tells whether every part was read: what such a reading does not hold is not there.
func Whole(parts []Part) bool {
	return !slices.ContainsFunc(parts, func(p Part) bool { return p.Status != OK })
}
