package job

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// ConnectionStore knows the connections and what is loaded of them.
type ConnectionStore interface {
	// Connections lists all, those derived from uploads included.
	Connections(ctx context.Context, t tenant.ID) ([]ingest.Connection, error)
	// Coverage lists the loaded billing periods of all connections.
	Coverage(ctx context.Context, t tenant.ID) ([]ingest.Coverage, error)
	// Readings tells how the last attempt went at each thing that was read.
	Readings(ctx context.Context, t tenant.ID) ([]ingest.Reading, error)
	// SaveReadings notes later attempts. Those of connections that are no more are left out.
	SaveReadings(ctx context.Context, t tenant.ID, readings []ingest.Reading) error
}

// PlanCollection decides what a collection reads.
type PlanCollection struct {
	Connections ConnectionStore
	Collectors  map[resource.Cloud]string // cloud to the function that reads it
	Now         Clock
}

// PlanInput asks for a collection. Request is what the state machine was started with.
type PlanInput struct {
	Tenant  tenant.ID   `json:"tenant"`
	Run     string      `json:"run"` // name of the execution; a part of all keys
	Request PlanRequest `json:"request"`
}

// PlanRequest narrows a collection down.
type PlanRequest struct {
	Cloud      resource.Cloud `json:"cloud,omitempty"`      // empty: all
	Connection string         `json:"connection,omitempty"` // empty: all
	Months     int            `json:"months,omitempty"`     // 0: what is missing or may have changed
}

// PlanOutput lists what to read.
type PlanOutput struct {
	Bills       []BillItem      `json:"bills"`
	Inventories []InventoryItem `json:"inventories"`
	Skipped     []string        `json:"skipped"` // what is not read, and why
}

// BillItem is one month of one connection. Collector is the function to call.
type BillItem struct {
	BillInput
	Collector string `json:"collector"`
}

// InventoryItem is the inventory of one connection.
type InventoryItem struct {
	InventoryInput
	Collector string `json:"collector"`
}

// mostReads and mostBytes bound the bills and inventories of a plan, so that its state stays well below 256 KiB with all results,
// and mostSkipped what it tells of others. It is more than one connection has: its settings are bounded, too.
const (
	mostReads   = 300
	mostBytes   = 160 << 10
	mostSkipped = 50
)

// Run plans. A new connection is read ingest.FirstPull months back. Of a known one the last ingest.Restated months are read
// again, and every month that is missing since its first loaded one or could not be read at the last attempt. Connections that only uploads feed are left alone. Where
// there are more than one plan holds, those go first that brought something new the longest time ago.
// A cloud that was asked for and has no collector or no connection is fault.Unprocessable.
func (p PlanCollection) Run(ctx context.Context, in PlanInput) (PlanOutput, error) {
	out := PlanOutput{Bills: []BillItem{}, Inventories: []InventoryItem{}, Skipped: []string{}}
	if in.Run == "" {
		return out, fault.Input("run", "", "is missing")
	}
	connections, err := p.Connections.Connections(ctx, in.Tenant)
	if err != nil {
		return out, err
	}
	covered, err := p.Connections.Coverage(ctx, in.Tenant)
	if err != nil {
		return out, err
	}
	tried, err := p.Connections.Readings(ctx, in.Tenant)
	if err != nil {
		return out, err
	}
	size := 0
	for _, c := range longestAgo(connections, covered) {
		if in.Request.covers(c) {
			p.add(&out, in, c, p.months(in, c.ID, covered, tried), &size)
		}
	}
	if n := len(out.Skipped); n > mostSkipped {
		out.Skipped = append(out.Skipped[:mostSkipped], "And so are "+strconv.Itoa(n-mostSkipped)+" more connections.")
	}
	if len(out.Inventories) == 0 && (in.Request.Cloud != "" || in.Request.Connection != "") {
		return out, nothingToRead(in, out.Skipped)
	}
	slices.SortStableFunc(out.Bills, func(a, b BillItem) int { return b.Month.Compare(a.Month) })
	return out, nil
}

// longestAgo orders connections by when anything was loaded of them last, those never loaded first.
func longestAgo(connections []ingest.Connection, covered []ingest.Coverage) []ingest.Connection {
	last := map[string]time.Time{}
	for _, c := range covered {
		if c.LoadedAt.After(last[c.Connection]) {
			last[c.Connection] = c.LoadedAt
		}
	}
	return slices.SortedStableFunc(slices.Values(connections), func(a, b ingest.Connection) int { return last[a.ID].Compare(last[b.ID]) })
}

func (r PlanRequest) covers(c ingest.Connection) bool {
	return c.Cloud != "" && (r.Cloud == "" || c.Cloud == r.Cloud) && (r.Connection == "" || c.ID == r.Connection)
}

// add plans a connection, wholly or not at all: of one that has been read in part, the months before its first would not be
// missed later.
func (p PlanCollection) add(out *PlanOutput, in PlanInput, c ingest.Connection, months []time.Time, size *int) {
	collector := p.Collectors[c.Cloud]
	if collector == "" {
		out.Skipped = append(out.Skipped, "The connection "+c.ID+" is not read: no collector for "+string(c.Cloud)+" is configured. Add it to COLLECTORS.")
		return
	}
	inventory := InventoryItem{Collector: collector, InventoryInput: InventoryInput{
		Tenant: in.Tenant, Connection: c.ID, Cloud: c.Cloud, Key: ingest.Key(in.Tenant, c.ID, in.Run, "inventory.json"),
		Settings: c.Settings, Secret: c.Secret,
	}}
	bills := make([]BillItem, 0, len(months))
	for _, month := range months {
		bills = append(bills, BillItem{Collector: collector, BillInput: BillInput{
			Tenant: in.Tenant, Connection: c.ID, Cloud: c.Cloud, Month: month,
			Key:      ingest.Key(in.Tenant, c.ID, in.Run, "bill-"+month.Format("2006-01")+".parquet"),
			Settings: c.Settings, Secret: c.Secret,
		}})
	}
	text, err := json.Marshal(PlanOutput{Inventories: []InventoryItem{inventory}, Bills: bills})
	begun := len(out.Inventories) > 0
	if err != nil || len(out.Bills)+len(out.Inventories)+len(months) >= mostReads || begun && *size+len(text) > mostBytes {
		out.Skipped = append(out.Skipped, "The connection "+c.ID+" is left for the next collection: this one reads as much as it may.")
		return
	}
	*size += len(text)
	out.Inventories, out.Bills = append(out.Inventories, inventory), append(out.Bills, bills...)
}

func nothingToRead(in PlanInput, skipped []string) error {
	if len(skipped) > 0 {
		return fault.New(fault.Unprocessable, "%s", skipped[0])
	}
	what := "No connection"
	if in.Request.Connection != "" {
		what = "No connection " + strconv.Quote(in.Request.Connection)
	}
	if in.Request.Cloud != "" {
		what += " of the cloud " + string(in.Request.Cloud)
	}
	return fault.New(fault.Unprocessable, "%s is registered. Register it with POST /api/v1/connections.", what)
}

// months lists what to read of a connection, newest last.
func (p PlanCollection) months(in PlanInput, connection string, covered []ingest.Coverage, tried []ingest.Reading) []time.Time {
	now := p.Now()
	if in.Request.Months > 0 {
		return ingest.Months(now, in.Request.Months)
	}
	have := map[time.Time]bool{}
	first := time.Time{}
	for _, l := range covered {
		start := cost.MonthStart(l.Period.Start)
		if l.Connection == connection {
			have[start] = true
			if first.IsZero() || start.Before(first) {
				first = start
			}
		}
	}
	all := ingest.Months(now, ingest.FirstPull)
	if len(have) == 0 {
		return all
	}
	owed := map[time.Time]bool{}
	for _, r := range tried {
		if r.Connection == connection && r.What == ingest.BillReading && r.Status != ingest.OK {
			owed[r.Month] = true
		}
	}
	settled := len(all) - ingest.Restated
	wanted := slices.DeleteFunc(slices.Clone(all[:settled]), func(m time.Time) bool { return !owed[m] && (have[m] || m.Before(first)) })
	return append(wanted, all[settled:]...)
}
