package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// maxBill is the largest bill that fits into one request; larger ones are staged first.
const maxBill = 6 << 20

// gzipMagic is the first byte of gzip data, and never one of a text.
const gzipMagic = 0x1f

// billInput reads the body by its media type.
type billInput struct {
	Connection string `query:"connection" maxLength:"200" doc:"The connection that owns the rows. Without it, one per provider and billing account is derived."`

	bill billBody
}

// billBody is a FOCUS file.
type billBody struct {
	file   []byte
	format focus.Format // empty: by its content
}

// Resolve reads the body before the operation runs; the library calls it.
func (in *billInput) Resolve(ctx huma.Context) []error {
	var err error
	if in.bill, err = readBill(ctx.Header("Content-Type"), ctx.Header("Content-Encoding"), ctx.BodyReader()); err != nil {
		return []error{problemOf(err)}
	}
	return nil
}

var _ huma.Resolver = (*billInput)(nil)

func readBill(contentType, coding string, body io.Reader) (billBody, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return billBody{}, unsupported()
	}
	if coding != "" && coding != "identity" {
		return billBody{}, fault.New(fault.Unsupported, "Send the bill without Content-Encoding; a gzipped one is application/gzip, not a packed text/csv.")
	}
	if body == nil {
		body = bytes.NewReader(nil)
	}
	content, err := io.ReadAll(io.LimitReader(body, maxBill+1))
	switch {
	case err != nil:
		return billBody{}, fault.Wrap(err, fault.Invalid, "The body could not be read to its end.")
	case len(content) > maxBill:
		return billBody{}, fault.New(fault.TooLarge, "A bill in a request may have at most %d bytes. Stage a larger one with POST %s/uploads, then load it with POST %s/imports.", maxBill, Base, Base)
	case len(content) == 0:
		return billBody{}, fault.Input("body", "", "is empty")
	}
	switch kind {
	case "text/csv":
		if content[0] == gzipMagic {
			return billBody{}, fault.New(fault.Unsupported, "The body is gzipped, but is announced as text/csv. Send it as application/gzip.")
		}
		return billBody{file: content, format: focus.CSV}, nil
	case "application/gzip", "application/x-gzip":
		return billBody{file: content, format: focus.CSVGzip}, nil
	case "application/vnd.apache.parquet":
		return billBody{file: content, format: focus.Parquet}, nil
	case "application/octet-stream":
		return billBody{file: content}, nil
	case "multipart/form-data":
		return formBill(content, params["boundary"])
	}
	return billBody{}, unsupported()
}

func unsupported() error {
	return fault.New(fault.Unsupported, "Send a FOCUS bill as text/csv, application/gzip, application/vnd.apache.parquet, or as the field file of multipart/form-data. What was staged is loaded with POST %s/imports.", Base)
}

func formBill(content []byte, boundary string) (billBody, error) {
	if boundary == "" {
		return billBody{}, fault.Input("header.Content-Type", "", "names no boundary of the form's parts")
	}
	form := multipart.NewReader(bytes.NewReader(content), boundary)
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return billBody{}, fault.Input("body.file", "", "is missing: put the bill into a field of this name")
		}
		if err != nil {
			return billBody{}, fault.Wrap(err, fault.Invalid, "The form is malformed.")
		}
		if part.FormName() != "file" {
			continue
		}
		file, err := io.ReadAll(part)
		if err != nil {
			return billBody{}, fault.Wrap(err, fault.Invalid, "The form is malformed: its file does not end.")
		}
		if len(file) == 0 {
			return billBody{}, fault.Input("body.file", "", "is empty")
		}
		return billBody{file: file}, nil
	}
}

type billOutput struct {
	Body ingest.Report
}

func (x Costs) collect(ctx context.Context, p tenant.Principal, in *billInput) (*billOutput, error) {
	report, err := x.Load.Bill(ctx, p.Tenant, ingest.Bill{Connection: in.Connection, Format: in.bill.format, File: ingest.Bytes(in.bill.file)})
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) { // the same again would end the same way
		err = fault.Wrap(err, fault.TooLarge, "The bill could not be loaded in the time that a request has, and nothing of it was. Stage it with POST %s/uploads, then load it with POST %s/imports.", Base, Base)
	}
	return &billOutput{report}, err
}

// describeBill adds the body to the OpenAPI document, after the registration: the library would read a described body itself.
func describeBill(a huma.API) {
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	a.OpenAPI().Paths[Base+"/focus/costs/collect"].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/csv": binary, "application/gzip": binary, "application/vnd.apache.parquet": binary, "application/octet-stream": binary,
		"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"file": {Type: huma.TypeString, Format: "binary"},
		}}},
	}}
}
