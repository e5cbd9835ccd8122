package ingest

import (
	"cmp"
	"slices"
	"time"
)

// Reading is how the last attempt went to read one thing of a connection: the bill of a month, the inventory, or which rights it has.
type Reading struct {
	Connection string     `json:"connection"`
	What       string     `json:"what"`           // BillReading, InventoryReading or TestReading
	Month      time.Time  `json:"month,omitzero"` // of a bill
	Status     Status     `json:"status"`
	Reason     string     `json:"reason,omitempty"` // public text when the status is not OK
	Spent      []Spending `json:"spent"`            // what it cost at list price
	At         time.Time  `json:"at"`
}

// What can be read.
const (
	BillReading      = "bill"
	InventoryReading = "inventory"
	TestReading      = "test" // of the rights; Denied where some are missing
)

// Limited says that reading stopped at the connection's own limit. The next reading goes on.
const Limited Status = "limited"

// ConnectionStatus is how a connection stands: its last readings, and the parts of the last inventory.
type ConnectionStatus struct {
	Readings []Reading `json:"readings"`
	Parts    []Part    `json:"parts"`
	Beside   []Part    `json:"beside"`  // the parts of what was read beside the inventory: metrics, commitments, advice
	Doubled  []Doubled `json:"doubled"` // what of its last bills came through another connection as well
}

// worst orders statuses by how much they need somebody.
var worst = []Status{OK, Disabled, Limited, Failed, Denied}

// StatusOf sums up how a connection stands by its readings: their worst status. A test counts until something was read after it,
// for what can be read is the better test. Empty: nothing was ever read.
func StatusOf(readings []Reading) Status {
	var read time.Time
	for _, r := range readings {
		if r.What != TestReading && r.At.After(read) {
			read = r.At
		}
	}
	var out Status
	for _, r := range readings {
		outdated := r.What == TestReading && r.At.Before(read)
		if !outdated && (out == "" || cmp.Compare(slices.Index(worst, r.Status), slices.Index(worst, out)) > 0) {
			out = r.Status
		}
	}
	return out
}
