package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// RecommendationReader reads recommendations.
type RecommendationReader interface {
	Recommendations(ctx context.Context, t tenant.ID, f job.RecommendationFilter) ([]recommend.Recommendation, error)
	Recommendation(ctx context.Context, t tenant.ID, id string) (recommend.Recommendation, error)
	RejectedRecommendations(ctx context.Context, t tenant.ID, f job.RejectedFilter) ([]recommend.Rejected, error)
}

// RecommendationGenerator generates recommendations; job.Recommend does.
type RecommendationGenerator interface {
	Run(ctx context.Context, in job.RecommendInput) (job.RecommendOutput, error)
}

// RecommendationDecider records decisions; job.Decide does.
type RecommendationDecider interface {
	Approve(ctx context.Context, in job.ApproveInput) (recommend.Recommendation, error)
	Dismiss(ctx context.Context, in job.DismissInput) (recommend.Recommendation, error)
}

// Recommendations are the operations on what could cost less.
type Recommendations struct {
	Reader   RecommendationReader
	Generate RecommendationGenerator
	Decide   RecommendationDecider
	Receipts Receipts
}

const recommendationsTag = "Recommendations"

// Register adds the operations.
func (x Recommendations) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "generate-recommendations", Method: http.MethodPost, Path: "/recommendations/generate", Tags: []string{recommendationsTag},
		Summary:     "Generate recommendations",
		Description: "Judges everything in the inventory by use, bill and prices. What was decided about a recommendation stays as long as its plan does."},
		tenant.Operator, x.generate)
	operation(a, huma.Operation{OperationID: "list-recommendations", Method: http.MethodGet, Path: "/recommendations", Tags: []string{recommendationsTag},
		Summary: "List recommendations, the highest score first"}, tenant.Viewer, x.list)
	operation(a, huma.Operation{OperationID: "list-rejected-recommendations", Method: http.MethodGet, Path: "/recommendations/rejected", Tags: []string{recommendationsTag},
		Summary: "List what was considered and not recommended, with the reasons"}, tenant.Viewer, x.rejected)
	operation(a, huma.Operation{OperationID: "get-recommendation", Method: http.MethodGet, Path: "/recommendations/{id}", Tags: []string{recommendationsTag},
		Summary: "Read one recommendation with its plan, score and evidence"}, tenant.Viewer, x.get)
	operation(a, huma.Operation{OperationID: "approve-recommendation", Method: http.MethodPost, Path: "/recommendations/{id}/approve", Tags: []string{recommendationsTag},
		Summary:     "Approve exactly one plan",
		Description: "The approval is void as soon as the plan changes. Approving the same plan twice changes nothing."}, tenant.Approver, x.approve)
	operation(a, huma.Operation{OperationID: "dismiss-recommendation", Method: http.MethodPost, Path: "/recommendations/{id}/dismiss", Tags: []string{recommendationsTag},
		Summary: "Take a recommendation off the list"}, tenant.Operator, x.dismiss)
}

type generateInput struct {
	Idempotency

	Body *generateBody `required:"false"`
}

type generateBody struct {
	Connection string   `json:"connection,omitempty" maxLength:"200" doc:"One connection; without it, all that have an inventory."`
	Rules      []string `json:"rules,omitempty" maxItems:"20" doc:"Names of rules; without them, all: idle-volume, right-size, volume-type."`
	MinSaving  string   `json:"min_saving,omitempty" maxLength:"20" example:"12.50" doc:"Least saving of a recommendation a month, in the currency of the bill. Without it 5 US dollars, or 5 times the power of ten that is worth about one in that currency: 500 JPY, 5000 KRW."`
}

type generateOutput struct {
	Body job.RecommendOutput
}

func (x Recommendations) generate(ctx context.Context, p tenant.Principal, in *generateInput) (*generateOutput, error) {
	var b generateBody
	if in.Body != nil {
		b = *in.Body
	}
	least, err := optionalAmount("body.min_saving", b.MinSaving)
	if err != nil {
		return nil, err
	}
	return once(ctx, x.Receipts, p, "generate-recommendations", in.Idempotency, b, func(ctx context.Context) (*generateOutput, error) {
		out, err := x.Generate.Run(ctx, job.RecommendInput{Tenant: p.Tenant, Connection: b.Connection, Rules: b.Rules, MinSaving: least})
		return &generateOutput{out}, inBody(err)
	})
}

var amountShape = regexp.MustCompile(`^[0-9]{1,9}([.][0-9]{1,4})?$`)

// optionalAmount reads an amount; nil for the empty text.
func optionalAmount(name, text string) (*decimal.Decimal, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // nothing was asked for
	}
	if !amountShape.MatchString(text) {
		return nil, fault.Input(name, text, "is no amount such as 25 or 12.50")
	}
	d, err := decimal.NewFromString(text)
	return &d, err
}

type listRecommendationsInput struct {
	Status    []recommend.Status `query:"status,explode" enum:"open,approved,implemented,dismissed,expired" doc:"Any of these; without it, open and approved ones."`
	Rule      string             `query:"rule" doc:"One rule."`
	MinSaving string             `query:"min_saving" maxLength:"20" example:"12.50" doc:"Least saving a month."`
	Limit     int                `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor    string             `query:"cursor" doc:"next_cursor of the page before."`
}

type recommendationPage struct {
	Body struct {
		Items      []recommend.Recommendation `json:"items"`
		NextCursor *string                    `json:"next_cursor" doc:"Null on the last page."`
	}
}

func (x Recommendations) list(ctx context.Context, p tenant.Principal, in *listRecommendationsInput) (*recommendationPage, error) {
	f := job.RecommendationFilter{Status: in.Status, Rule: in.Rule, Limit: in.Limit + 1}
	if len(f.Status) == 0 {
		f.Status = []recommend.Status{recommend.Open, recommend.Approved}
	}
	least, err := optionalAmount("query.min_saving", in.MinSaving)
	if err != nil {
		return nil, err
	}
	if least != nil {
		f.MinSaving = *least
	}
	if in.Cursor != "" {
		score, id, ok := splitMark(in.Cursor)
		after, err := strconv.ParseFloat(score, 64)
		if !ok || err != nil {
			return nil, badMark(in.Cursor)
		}
		f.AfterScore, f.AfterID = &after, id
	}
	found, err := x.Reader.Recommendations(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	out := &recommendationPage{}
	out.Body.Items = append([]recommend.Recommendation{}, found[:min(in.Limit, len(found))]...)
	if len(found) > in.Limit {
		last := out.Body.Items[in.Limit-1]
		out.Body.NextCursor = mark(strconv.FormatFloat(last.Score.Total, 'g', -1, 64), last.ID)
	}
	return out, nil
}

type listRejectedInput struct {
	Rule   string `query:"rule" doc:"One rule."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before."`
}

type rejectedPage struct {
	Body struct {
		Items      []recommend.Rejected `json:"items"`
		NextCursor *string              `json:"next_cursor" doc:"Null on the last page."`
	}
}

func (x Recommendations) rejected(ctx context.Context, p tenant.Principal, in *listRejectedInput) (*rejectedPage, error) {
	f := job.RejectedFilter{Rule: in.Rule, Limit: in.Limit + 1}
	if in.Cursor != "" {
		var ok bool
		if f.AfterResource, f.AfterRule, ok = splitMark(in.Cursor); !ok {
			return nil, badMark(in.Cursor)
		}
	}
	found, err := x.Reader.RejectedRecommendations(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	out := &rejectedPage{}
	out.Body.Items = append([]recommend.Rejected{}, found[:min(in.Limit, len(found))]...)
	if len(found) > in.Limit {
		last := out.Body.Items[in.Limit-1]
		out.Body.NextCursor = mark(last.Ref.ID, last.Rule)
	}
	return out, nil
}

type recommendationInput struct {
	ID string `path:"id" maxLength:"100"`
}

type recommendationOutput struct {
	Body recommend.Recommendation
}

func (x Recommendations) get(ctx context.Context, p tenant.Principal, in *recommendationInput) (*recommendationOutput, error) {
	r, err := x.Reader.Recommendation(ctx, p.Tenant, in.ID)
	return &recommendationOutput{r}, err
}

type approveInput struct {
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		PlanHash string `json:"plan_hash" minLength:"64" maxLength:"64" doc:"plan_hash of the recommendation as you read it."`
	}
}

func (x Recommendations) approve(ctx context.Context, p tenant.Principal, in *approveInput) (*recommendationOutput, error) {
	r, err := x.Decide.Approve(ctx, job.ApproveInput{Tenant: p.Tenant, ID: in.ID, PlanHash: in.Body.PlanHash, By: p.Subject})
	return &recommendationOutput{r}, err
}

type dismissInput struct {
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why it is not wanted."`
	}
}

func (x Recommendations) dismiss(ctx context.Context, p tenant.Principal, in *dismissInput) (*recommendationOutput, error) {
	r, err := x.Decide.Dismiss(ctx, job.DismissInput{Tenant: p.Tenant, ID: in.ID, Reason: in.Body.Reason, By: p.Subject})
	return &recommendationOutput{r}, err
}

// mark is the cursor after an entry with this place in the order.
func mark(parts ...string) *string {
	text := base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "\x00")))
	return &text
}

// splitMark reads a cursor of two parts.
func splitMark(cursor string) (first, second string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(text), "\x00")
}

func badMark(cursor string) error {
	return fault.Input("query.cursor", cursor, "is not one that this list gave")
}
