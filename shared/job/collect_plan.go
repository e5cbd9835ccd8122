package job

import (
	"context"
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

// PlanCollection decides what a collection reads, and tells what became of it.
type PlanCollection struct {
	Connections ConnectionStore
	Collectors  map[resource.Cloud]string // cloud to the function that reads it
	Staging     ingest.Staging
	Bucket      string // that Staging is in; the state machine reads the plan from there
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

// PlanOutput says where the plan is staged: a JSON array of ConnectionPlan, of any length.
type PlanOutput struct {
	Bucket      string   `json:"bucket"`
	Key         string   `json:"key"`
	Connections int      `json:"connections"`
	Skipped     []string `json:"skipped"` // what is not read, and why
}

// ConnectionPlan is what to read of one connection.
type ConnectionPlan struct {
	Tenant     tenant.ID         `json:"tenant"`
	Connection string            `json:"connection"`
	Cloud      resource.Cloud    `json:"cloud"`
	Collector  string            `json:"collector"` // the function to call
	Settings   map[string]string `json:"settings"`
	Secret     string            `json:"secret"` // the name of the credentials
	Ledger     string            `json:"ledger"` // key of the Ledger that its readings share; empty where there is no limit
	Result     string            `json:"result"` // key for what becomes of the readings
	AtOnce     int               `json:"at_once"`
	Readings   []PlannedReading  `json:"readings"`
}

// PlannedReading is one month's bill, or the inventory.
type PlannedReading struct {
	What  string    `json:"what"`           // ingest.BillReading or ingest.InventoryReading
	Month time.Time `json:"month,omitzero"` // of a bill
	Key   string    `json:"key"`            // where to stage it
}

// How much one run does. Nothing is lost by it: what is left out is told, and has its turn in the next one.
const (
	mostConnections = 5000
	mostSkipped     = 50
	atOnce          = 4 // readings of a connection at a time
)

// Run plans. A new connection is read ingest.FirstPull months back. Of a known one the last ingest.Restated months are read
// again, and every month that is missing since its first loaded one or could not be read at the last attempt. Connections that
// only uploads feed are left alone. Where there are more than one run reads, those go first that brought something new the
// longest time ago. A cloud that was asked for and has no collector or no connection is fault.Unprocessable.
func (p PlanCollection) Run(ctx context.Context, in PlanInput) (PlanOutput, error) {
	out := PlanOutput{Bucket: p.Bucket, Skipped: []string{}}
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
	plans := []ConnectionPlan{}
	for _, c := range longestAgo(connections, covered) {
		switch collector := p.Collectors[c.Cloud]; {
		case !in.Request.covers(c):
		case collector == "":
			out.Skipped = append(out.Skipped, "The connection "+c.ID+" is not read: no collector for "+string(c.Cloud)+" is configured. Add it to COLLECTORS.")
		case len(plans) == mostConnections:
			out.Skipped = append(out.Skipped, "The connection "+c.ID+" is left for the next collection: this one reads as many as it may.")
		default:
			plans = append(plans, planned(in, c, collector, p.months(in, c.ID, covered, tried)))
		}
	}
	if n := len(out.Skipped); n > mostSkipped {
		out.Skipped = append(out.Skipped[:mostSkipped], "And so are "+strconv.Itoa(n-mostSkipped)+" more connections.")
	}
	if len(plans) == 0 && (in.Request.Cloud != "" || in.Request.Connection != "") {
		return out, nothingToRead(in, out.Skipped)
	}
	out.Connections, out.Key = len(plans), ingest.Key(in.Tenant, collections, in.Run, "plan.json")
	return out, p.stage(ctx, out.Key, plans)
}

// collections are where the plans, ledgers and results of collections lie, beside what is staged for each connection.
const collections = "collections"

// stage writes the plan, after the ledgers that it names: a collector may not tell an object that is missing from one that it
// may not read.
func (p PlanCollection) stage(ctx context.Context, key string, plans []ConnectionPlan) error {
	for _, c := range plans {
		if c.Ledger == "" {
			continue
		}
		if err := stageJSON(ctx, p.Staging, c.Ledger, Ledger{}); err != nil {
			return err
		}
	}
	return stageJSON(ctx, p.Staging, key, plans)
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

// planned plans a connection. What changes most often, and recommendations are made from, goes first, in case a limit ends it:
// the months that are read again each time, the inventory, and then the older months, the newest first.
func planned(in PlanInput, c ingest.Connection, collector string, months []time.Time) ConnectionPlan {
	out := ConnectionPlan{
		Tenant: in.Tenant, Connection: c.ID, Cloud: c.Cloud, Collector: collector, Settings: c.Settings, Secret: c.Secret,
		Result: ingest.Key(in.Tenant, collections, in.Run, c.ID, "result.json"), AtOnce: atOnce,
	}
	if _, limited := c.Settings[ingest.LimitSetting]; limited { // one after the other, each carries on where the one before stopped
		out.AtOnce, out.Ledger = 1, ingest.Key(in.Tenant, collections, in.Run, c.ID, "spent.json")
	}
	for _, month := range slices.Backward(months) {
		key := ingest.Key(in.Tenant, c.ID, in.Run, "bill-"+month.Format("2006-01")+".parquet")
		out.Readings = append(out.Readings, PlannedReading{What: ingest.BillReading, Month: month, Key: key})
	}
	inventory := PlannedReading{What: ingest.InventoryReading, Key: ingest.Key(in.Tenant, c.ID, in.Run, "inventory.json")}
	out.Readings = slices.Insert(out.Readings, min(ingest.Restated, len(out.Readings)), inventory)
	return out
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
