package ingest

import (
	"context"
	"encoding/json"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Bill is a FOCUS file to be loaded.
type Bill struct {
	// Connection owns the rows. When it is empty, one connection is derived for each provider and billing account in
	// the file ("focus:AWS:1234567890123"), so that uploading one account's bill never replaces another's.
	Connection string
	Format     focus.Format // focus.Detect decides when empty
	File       Object
}

// Record is the loaded bills of all tenants, each seeing its own only.
type Record interface {
	// Load replaces, in one transaction, every (connection, billing period) that the bill holds. A bill with the same
	// content as the one that is loaded changes nothing. Bad rows are left out and reported. It fails with
	// fault.Unprocessable, and changes nothing, when the file as a whole cannot be used.
	Load(ctx context.Context, t tenant.ID, bill Bill) (Report, error)
	// RemoveBills takes all bills of a connection out of the record, in one transaction. It fails with fault.NotFound when there are
	// none, and with fault.Conflict when the connection is still read from its cloud, which would bring them back.
	RemoveBills(ctx context.Context, t tenant.ID, connection string) (Removed, error)
}

// Removed says what was taken out of the record.
type Removed struct {
	Bills int   `json:"bills"`
	Rows  int64 `json:"rows"`
}

// Report says what became of each row of a bill. Accepted + Rejected is the number of data rows in the file.
type Report struct {
	SHA256      string      `json:"sha256"`    // of the file as it came
	Unchanged   bool        `json:"unchanged"` // the same content was loaded already; nothing was written
	Accepted    int64       `json:"accepted"`
	Rejected    int64       `json:"rejected"`
	Totals      []Total     `json:"totals"`     // of the accepted rows, by provider and currency
	Lost        []Lost      `json:"lost"`       // what the rejected rows would have cost, by currency
	Doubled     []Doubled   `json:"doubled"`    // what came through another connection as well, and counts twice
	Rejections  []Rejection `json:"rejections"` // the first MaxRejections of them, in file order
	Periods     []Loaded    `json:"periods"`
	MorePeriods int         `json:"more_periods,omitempty"` // how many Periods leaves out
}

// Within gives the report with lists so short that it takes at most so many bytes of JSON, as far as its lists make it longer.
// The counts stay those of everything.
func (r Report) Within(bytes int) Report {
	for size := r.size(); size > bytes && len(r.Rejections)+len(r.Periods) > 0; size = r.size() {
		// The longer list gives way first: it is the one that says less with each entry.
		if len(r.Rejections) >= len(r.Periods) {
			r.Rejections = r.Rejections[:len(r.Rejections)/2]
			continue
		}
		kept := len(r.Periods) / 2
		r.MorePeriods += len(r.Periods) - kept
		r.Periods = r.Periods[:kept]
	}
	return r
}

func (r Report) size() int {
	text, err := json.Marshal(r)
	if err != nil { // text, numbers and times of four-digit years only: cannot happen
		return 0
	}
	return len(text)
}

// MaxRejections is how many rejected rows a report lists; all of them are counted.
const MaxRejections = 1000

// Total is the sum of accepted rows.
type Total struct {
	Provider   string          `json:"provider"`
	Currency   cost.Currency   `json:"currency"`
	Rows       int64           `json:"rows"`
	Billed     decimal.Decimal `json:"billed"`
	Effective  decimal.Decimal `json:"effective"`
	List       decimal.Decimal `json:"list"`
	Contracted decimal.Decimal `json:"contracted"`
}

// Lost is the cost of rejected rows. Rows whose cost could not be read are counted in Unknown, never taken as zero.
type Lost struct {
	Currency cost.Currency   `json:"currency"` // empty when it could not be read
	Billed   decimal.Decimal `json:"billed"`
	Rows     int64           `json:"rows"`
	Unknown  int64           `json:"unknown"`
}

// Rejection is one row that was left out.
type Rejection struct {
	Row    int64  `json:"row"` // 1 is the first row after the header
	Column string `json:"column"`
	Reason string `json:"reason"`
	Value  string `json:"value"` // what stood there, shortened
}

// Loaded is one (connection, billing period) that the bill replaced or added.
type Loaded struct {
	Connection string      `json:"connection"`
	Period     cost.Period `json:"billing_period"`
	Rows       int64       `json:"rows"`
	Replaced   int64       `json:"replaced"` // rows of the load before that are gone
}
