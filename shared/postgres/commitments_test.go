package postgres_test

import (
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func held(t *testing.T, db *postgres.DB, f job.CommitmentFilter) map[string]job.HeldCommitment {
	t.Helper()
	found, err := db.Commitments(t.Context(), acme, f)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]job.HeldCommitment{}
	for _, c := range found {
		out[c.ID] = c
	}
	return out
}

func committed(at time.Time, status ingest.Status, ids ...string) ingest.Snapshot {
	read := &ingest.Commitments{Parts: []ingest.Part{{Service: "savings-plans", Status: status}}}
	for _, id := range ids {
		read.Held = append(read.Held, resource.Commitment{Cloud: resource.AWS, ID: id, Type: "Savings Plan", End: noon.AddDate(1, 0, 0)})
	}
	return ingest.Snapshot{At: at, Commitments: read, Beside: read.Parts}
}

// A commitment that a whole reading does not find has ended. One that was not read in full ends nothing, and none at all neither.
func TestCommitmentsEndOnlyWhereAllWereRead(t *testing.T) {
	t.Parallel()
	db := connected(t)
	all := job.CommitmentFilter{Limit: 100}
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	save(t, db, committed(hour(0), ingest.OK, "a", "b"))
	save(t, db, committed(hour(1), ingest.Denied, "b"))
	save(t, db, ingest.Snapshot{At: hour(2)})
	got := held(t, db, all)
	if len(got) != 2 || !got["a"].ReadAt.Equal(hour(0)) || !got["b"].ReadAt.Equal(hour(1)) {
		t.Errorf("after a reading in part and one without: %+v", got)
	}
	save(t, db, committed(hour(3), ingest.OK, "b", "c"))
	if got := held(t, db, all); len(got) != 2 || got["b"].ID == "" || got["c"].ID == "" {
		t.Errorf("after a whole reading: %+v", got)
	}
	if next := held(t, db, job.CommitmentFilter{Limit: 1, AfterConnection: "main", AfterID: "b"}); len(next) != 1 || next["c"].Connection != "main" {
		t.Errorf("the page after b: %+v", next)
	}
	if none := held(t, db, job.CommitmentFilter{Limit: 9, Connection: "elsewhere"}); len(none) != 0 {
		t.Errorf("of another connection: %+v", none)
	}
	if err := db.RemoveConnection(t.Context(), acme, "main"); err != nil {
		t.Fatal(err)
	}
	if got := held(t, db, all); len(got) != 0 {
		t.Errorf("of a removed connection: %+v", got)
	}
}

func TestCommitmentsAreListedWithTheirUse(t *testing.T) {
	t.Parallel()
	db := connected(t)
	share, unused := 0.8, decimal.RequireFromString("12.5")
	s := committed(noon, ingest.OK, "a", "b")
	s.Commitments.Use = []resource.CommitmentUse{
		{Type: "Savings Plan", Commitment: "a", Used: &share, Unused: &unused, Currency: "USD", Period: cost.Days(noon, 30)},
		{Type: "Savings Plan", Used: &share, Covered: &share},
	}
	save(t, db, s)
	got := held(t, db, job.CommitmentFilter{Limit: 9})
	if use := got["a"].Use; use == nil || *use.Used != share || !use.Unused.Equal(unused) || use.Covered != nil || use.Period != cost.Days(noon, 30) {
		t.Errorf("used: %+v", use)
	}
	if got["b"].Use != nil {
		t.Errorf("what is not told was made up: %+v", got["b"].Use)
	}
	types, err := db.CommitmentTypes(t.Context(), acme, "")
	if err != nil || len(types) != 1 || types[0].Type != "Savings Plan" || *types[0].Covered != share || types[0].Connection != "main" {
		t.Errorf("all of the type: %+v, %v", types, err)
	}
}

// The provider's advice stands beside Cost Agent's own about the same resource.
func TestAdviceIsHeldAgainstOurs(t *testing.T) {
	t.Parallel()
	db := connected(t)
	about := func(id, of string) resource.Advice {
		return resource.Advice{Ref: resource.Ref{Cloud: resource.AWS, ID: of}, Source: "Recommender", Advice: id, Kind: "CHANGE_MACHINE_TYPE"}
	}
	s := ingest.Snapshot{At: noon, Advice: &ingest.Advice{Given: []resource.Advice{about("1", "i-1"), about("2", "i-2"), about("3", "")}}}
	save(t, db, s)
	ours := func(id, of string, status recommend.Status) recommend.Recommendation {
		return recommend.Recommendation{ID: id, Rule: "right-size", Connection: "main", Status: status,
			Plan:   plan.Plan{Targets: []plan.Target{{Ref: resource.Ref{ID: "i-0"}}, {Ref: resource.Ref{ID: of}}}},
			Saving: recommend.Saving{Monthly: cost.Money{Amount: decimal.NewFromInt(7), Currency: "USD", Basis: cost.Effective}}}
	}
	merge := func([]recommend.Recommendation) []recommend.Recommendation {
		return []recommend.Recommendation{ours("r1", "i-1", recommend.Open), ours("r2", "i-2", recommend.Dismissed), ours("r3", "", recommend.Open)}
	}
	if err := db.SaveGeneration(t.Context(), acme, "main", []string{"right-size"}, merge, nil); err != nil {
		t.Fatal(err)
	}
	got, err := db.Advice(t.Context(), acme, job.AdviceFilter{Limit: 9})
	if err != nil || len(got) != 3 || got[0].ID != "i-1" || got[0].Kind != "CHANGE_MACHINE_TYPE" || !got[0].ReadAt.Equal(noon) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if own := got[0].Ours; len(own) != 1 || own[0].ID != "r1" || own[0].Rule != "right-size" || own[0].Monthly.Amount.String() != "7" {
		t.Errorf("ours: %+v", own)
	}
	if len(got[1].Ours) != 0 || len(got[2].Ours) != 0 {
		t.Errorf("what was dismissed, or is about another resource, is held against it: %+v", got[1:])
	}
	next, err := db.Advice(t.Context(), acme, job.AdviceFilter{Limit: 9, AfterConnection: "main", AfterSource: "Recommender", AfterID: "2"})
	if err != nil || len(next) != 1 || next[0].Advice.Advice != "3" {
		t.Errorf("the page after: %+v, %v", next, err)
	}
	save(t, db, ingest.Snapshot{At: noon.Add(time.Hour), Advice: &ingest.Advice{Given: s.Advice.Given[2:]}})
	if got, err := db.Advice(t.Context(), acme, job.AdviceFilter{Limit: 9}); err != nil || len(got) != 1 {
		t.Errorf("advice that is no longer given: %+v, %v", got, err)
	}
}

// A part beside the inventory is told, and neither ends what exists nor keeps it.
func TestPartsBesideSayNothingAboutWhatExists(t *testing.T) {
	t.Parallel()
	db := connected(t)
	save(t, db, reading(noon, map[string]ingest.Status{"eu": ingest.OK}, machine("i-1", "eu", "m")))
	s := reading(noon.Add(time.Hour), map[string]ingest.Status{"eu": ingest.OK})
	s.Beside = []ingest.Part{{Region: "eu", Service: "ec2", Status: ingest.Denied, Reason: "No right."}, {Region: "eu", Service: "cloudwatch", Status: ingest.OK}}
	if left := save(t, db, s); len(left) != 0 {
		t.Errorf("what is gone is held by a part beside: %v", left)
	}
	status, err := db.ConnectionStatus(t.Context(), acme, "main")
	if err != nil || len(status.Parts) != 2 || len(status.Beside) != 2 {
		t.Fatalf("got %+v, %v", status, err)
	}
	denied := slices.IndexFunc(status.Beside, func(p ingest.Part) bool { return p.Service == "ec2" })
	if denied < 0 || status.Beside[denied].Reason != "No right." || !ingest.Whole(status.Parts) {
		t.Errorf("got %+v", status)
	}
}
