package ingest

import "time"

// Reading is how the last attempt went to read one thing of a connection: the bill of a month, or the inventory.
type Reading struct {
	Connection string     `json:"connection"`
	What       string     `json:"what"`           // BillReading or InventoryReading
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
)

// Limited says that reading stopped at the connection's own limit. The next reading goes on.
const Limited Status = "limited"

// ConnectionStatus is how a connection stands: its last readings, and the parts of the last inventory.
type ConnectionStatus struct {
	Readings []Reading `json:"readings"`
	Parts    []Part    `json:"parts"`
	Beside   []Part    `json:"beside"` // the parts of what was read beside the inventory: metrics, commitments, advice
}
