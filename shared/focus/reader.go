package focus

import (
	"errors"
	"fmt"
	"io"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// Reader reads the rows of one FOCUS file. It is for one goroutine.
type Reader struct {
	source   source
	layout   *layout
	assemble *assembler
	rows     int64
	accounts map[account]cost.Currency
	last     account       // of the row before
	currency cost.Currency // of last
	failed   error
}

// source gives records cell by cell, whatever the format.
type source interface {
	// next gives the cells of the next record, valid until the call after. A text says why the record has none;
	// io.EOF is the end, any other error is a fault of the file.
	next() (cells [][]byte, bad string, err error)
	close() error
}

// account has one billing currency, says FOCUS.
type account struct{ provider, id string }

// maxAccounts bounds what a file can make the reader remember.
const maxAccounts = 100_000

// Rejection is one row that was left out, and why.
type Rejection struct {
	Row      int64               // 1 is the first row after the header
	Column   string              // as the header names it; empty when the whole row is meant
	Reason   string              // for people: "is not a number such as ..."
	Value    string              // what stood there, shortened
	Billed   decimal.NullDecimal // its BilledCost, where that can be read
	Currency cost.Currency       // its BillingCurrency, empty where it cannot be read
}

// Open checks what can be known from header or footer and gets ready to read. An empty format means that Detect
// decides. It fails with fault.Unprocessable when the file is no FOCUS file or lacks mandatory columns, and with the
// storage's own fault, or fault.Unavailable, when the file could not be read. The file must stay open until Close.
func Open(file io.ReaderAt, size int64, format Format) (*Reader, error) {
	found, err := Detect(file, size)
	if err != nil {
		return nil, err
	}
	if format != "" && format != found {
		return nil, fault.New(fault.Unprocessable, "The file was announced as %s, but its content is %s. Send it as what it is.", format, found)
	}
	src, header, err := openSource(&watched{ReaderAt: file}, size, found)
	if err != nil {
		return nil, err
	}
	l, err := newLayout(header)
	if err != nil {
		return nil, errors.Join(err, src.close())
	}
	return &Reader{source: src, layout: l, assemble: newAssembler(l), accounts: map[account]cost.Currency{}}, nil
}

// Next fills row with the next row. A Rejection means that this row was left out and that the content of row is
// undefined. The error is io.EOF at the end; any other is a fault that says why the file as a whole cannot be used, and
// stays. The maps of row are shared between rows and must not be changed.
func (r *Reader) Next(row *Row) (*Rejection, error) {
	if r.failed != nil {
		return nil, r.failed
	}
	cells, bad, err := r.source.next()
	if err != nil {
		r.failed = err
		return nil, err
	}
	r.rows++
	if bad != "" {
		return &Rejection{Row: r.rows, Reason: bad}, nil
	}
	var p problem
	if !r.assemble.fill(row, cells, &p) {
		return r.reject(cells, p), nil
	}
	if err := r.oneCurrency(row); err != nil {
		r.failed = err
		return nil, err
	}
	return nil, nil //nolint:nilnil // a row that is neither rejected nor at the end is in row
}

// Rows counts the data rows so far, accepted and rejected.
func (r *Reader) Rows() int64 { return r.rows }

// Close lets go of the decoder. It does not close the file.
func (r *Reader) Close() error { return r.source.close() }

func (r *Reader) reject(cells [][]byte, p problem) *Rejection {
	j := &Rejection{Row: r.rows, Reason: p.reason}
	if len(cells) != len(r.layout.columns) {
		j.Reason = fmt.Sprintf("The row has %d cells, the header has %d.", len(cells), len(r.layout.columns))
		return j
	}
	if p.cell >= 0 {
		j.Column, j.Value = r.layout.names[p.cell], shorten(string(cells[p.cell]))
	}
	if d, ok := parseNumber(cells[r.layout.billed], nil); ok {
		j.Billed = decimal.NewNullDecimal(d)
	}
	if c := cost.Currency(cells[r.layout.money]); c.Valid() {
		j.Currency = c
	}
	return j
}

// oneCurrency holds every billing account to one currency, since the costs of its rows are added up.
func (r *Reader) oneCurrency(row *Row) error {
	key := account{row.ServiceProviderName, row.BillingAccountID}
	if key == r.last && row.BillingCurrency == r.currency {
		return nil
	}
	had, known := r.accounts[key]
	switch {
	case !known && len(r.accounts) >= maxAccounts:
		return fault.New(fault.Unprocessable, "The file has more than %d billing accounts. Send it in parts.", maxAccounts)
	case !known:
		r.accounts[key] = row.BillingCurrency
	case had != row.BillingCurrency:
		return fault.New(fault.Unprocessable, "The billing account %s of %s has rows in %s and in %s. FOCUS gives a billing account one billing currency; export it again in one.",
			shorten(key.id), shorten(key.provider), had, row.BillingCurrency)
	}
	r.last, r.currency = key, row.BillingCurrency
	return nil
}
