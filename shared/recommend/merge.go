package recommend

import (
	"maps"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// Merge brings the recommendations that a generation found into those that are known. What somebody decided stays, for as
// long as the plan is the one that it was decided on: an approval of another plan is void. A dismissal holds for any plan.
// Known ones that were not found are expired, but for those that were implemented or dismissed, and those under execution, by
// id: their targets are half changed, and what they are in the end the execution says.
func Merge(known, found []Recommendation, executing map[string]bool, now time.Time) []Recommendation {
	byID := make(map[string]Recommendation, len(known))
	for _, k := range known {
		byID[k.ID] = k
	}
	var out []Recommendation
	for _, f := range found {
		k, ok := byID[f.ID]
		delete(byID, f.ID)
		if !ok {
			out = append(out, f)
			continue
		}
		out = append(out, renew(k, f))
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		k := byID[id]
		if (k.Status == Open || k.Status == Approved) && !executing[k.ID] {
			k.Status, k.Approval, k.UpdatedAt = Expired, nil, now
		}
		out = append(out, k)
	}
	return out
}

// renew is what a known recommendation becomes when it is found again.
func renew(known, found Recommendation) Recommendation {
	same := known.PlanHash == found.PlanHash
	switch {
	case known.Status == Implemented && same:
		return known // the inventory has not caught up with the execution yet
	case known.Status == Approved && same, known.Status == Dismissed:
		found.Status, found.Approval, found.Dismissal = known.Status, known.Approval, known.Dismissal
	}
	found.CreatedAt = known.CreatedAt
	return found
}

// Approve binds an agreement to the plan with the given hash. Approving the same plan twice changes nothing. It fails with
// fault.Conflict when the plan is another one by now, or when the recommendation is not open.
func (r *Recommendation) Approve(by, planHash string, at time.Time) error {
	switch {
	case planHash != r.PlanHash:
		return fault.New(fault.Conflict, "The plan is no longer the one you approve. Read the recommendation again and approve its present plan.")
	case r.Status == Approved:
		return nil
	case r.Status == Dismissed:
		return fault.New(fault.Conflict, "The recommendation was dismissed, for good.")
	case r.Status != Open:
		return fault.New(fault.Conflict, "The recommendation is %s and cannot be approved. Generate recommendations again to get a new one.", r.Status)
	}
	r.Status, r.UpdatedAt = Approved, at
	r.Approval = &Approval{By: by, At: at, PlanHash: planHash}
	return nil
}

// Dismiss takes the recommendation off the list for good. It fails with fault.Conflict when it is neither open nor approved.
func (r *Recommendation) Dismiss(by, reason string, at time.Time) error {
	if r.Status != Open && r.Status != Approved {
		return fault.New(fault.Conflict, "The recommendation is %s: only an open or approved one can be dismissed.", r.Status)
	}
	r.Status, r.Approval, r.UpdatedAt = Dismissed, nil, at
	r.Dismissal = &Dismissal{By: by, At: at, Reason: reason}
	return nil
}

// Reopen takes the approval back that an execution rolled back had: what did harm once is not done again unless somebody agrees
// again. An approval given after the execution ended stays, and so does every other decision.
func (r *Recommendation) Reopen(ended time.Time) {
	if r.Status == Approved && r.Approval != nil && r.Approval.At.Before(ended) {
		r.Status, r.Approval, r.UpdatedAt = Open, nil, ended
	}
}

// Implement notes that an execution of its plan was completed. A recommendation that is approved becomes implemented, and so
// does one that expired meanwhile, because a generation no longer found what the execution had changed already. One that was
// opened again or dismissed stays as it is.
func (r *Recommendation) Implement(at time.Time) {
	if r.Status == Approved || r.Status == Expired {
		r.Status, r.UpdatedAt = Implemented, at
	}
}
