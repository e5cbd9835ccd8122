package job

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Versions lets caches know that a tenant's data changed.
type Versions interface {
	Bump(ctx context.Context, t tenant.ID)
}

// Load is the data side of collection: it brings what was staged, or sent, into the record.
type Load struct {
	Record    ingest.Record
	Inventory InventoryStore
	Staging   ingest.Staging
	Versions  Versions
}

// Bill loads a FOCUS file as ingest.Record does, and outdates cached answers when it changed anything.
func (l Load) Bill(ctx context.Context, t tenant.ID, bill ingest.Bill) (ingest.Report, error) {
	report, err := l.Record.Load(ctx, t, bill)
	if err == nil && !report.Unchanged {
		l.Versions.Bump(ctx, t)
	}
	return report, err
}

// Remove takes all bills of a connection out of the record, as ingest.Record does, and outdates cached answers.
func (l Load) Remove(ctx context.Context, t tenant.ID, connection string) (ingest.Removed, error) {
	removed, err := l.Record.RemoveBills(ctx, t, connection)
	if err == nil {
		l.Versions.Bump(ctx, t)
	}
	return removed, err
}

// LoadInput names a staged FOCUS file.
type LoadInput struct {
	Tenant     tenant.ID    `json:"tenant"`
	Connection string       `json:"connection,omitempty"` // empty: one per provider and billing account
	Key        string       `json:"key"`
	Format     focus.Format `json:"format,omitempty"` // empty: by its content
}

func (l Load) staged(ctx context.Context, in LoadInput) (_ ingest.Report, err error) {
	if err := ingest.Owned(in.Tenant, in.Key); err != nil {
		return ingest.Report{}, err
	}
	file, err := l.Staging.Reader(ctx, in.Key)
	if err != nil {
		return ingest.Report{}, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return l.Bill(ctx, in.Tenant, ingest.Bill{Connection: in.Connection, Format: in.Format, File: file})
}

// reportBytes keeps a report small enough for the state of a state machine, 256 KiB.
const reportBytes = 100 << 10

// Run loads a staged file and gives the report, its lists cut short where they are very long. A key that is not the tenant's is
// fault.NotFound.
func (l Load) Run(ctx context.Context, in LoadInput) (ingest.Report, error) {
	report, err := l.staged(ctx, in)
	return report.Within(reportBytes), err
}

// LoadInventoryInput names a staged ingest.Snapshot.
type LoadInventoryInput struct {
	Tenant     tenant.ID `json:"tenant"`
	Connection string    `json:"connection"`
	Key        string    `json:"key"`
}

// LoadInventoryOutput says what it held.
type LoadInventoryOutput struct {
	Resources int `json:"resources"`
	Prices    int `json:"prices"`
}

// LoadInventory brings a staged snapshot into the inventory.
func (l Load) LoadInventory(ctx context.Context, in LoadInventoryInput) (_ LoadInventoryOutput, err error) {
	if err := ingest.Owned(in.Tenant, in.Key); err != nil {
		return LoadInventoryOutput{}, err
	}
	file, err := l.Staging.Reader(ctx, in.Key)
	if err != nil {
		return LoadInventoryOutput{}, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var s ingest.Snapshot
	if err := json.NewDecoder(io.NewSectionReader(file, 0, file.Size())).Decode(&s); err != nil {
		if _, ok := errors.AsType[*fault.Error](err); ok {
			return LoadInventoryOutput{}, err
		}
		return LoadInventoryOutput{}, fault.Wrap(err, fault.Unprocessable, "The staged inventory is not readable; collect it again.")
	}
	if err := l.Inventory.SaveInventory(ctx, in.Tenant, in.Connection, s); err != nil {
		return LoadInventoryOutput{}, err
	}
	l.Versions.Bump(ctx, in.Tenant)
	return LoadInventoryOutput{Resources: len(s.Resources), Prices: len(s.Prices)}, nil
}
