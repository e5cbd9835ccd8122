package recommend

import (
	"fmt"
	"time"

	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const idleVolumeName = "idle-volume"

// idleVolume finds volumes that nothing has been attached to for two weeks. A snapshot is kept, so the change can be undone.
var idleVolume = Rule{
	Name: idleVolumeName, Subcategory: "Idle Resource Removal", Action: plan.ArchiveVolume,
	Effort:      Rating{0.9, "A snapshot is made and the volume removed; nothing has to be stopped."},
	Undo:        Rating{0.7, "It can be undone: the volume is restored from its snapshot, under a new id."},
	Disturbance: 0,
	judge:       judgeIdleVolume,
	tell: func(group []*candidate) (string, string) {
		r := group[0].resource
		return "Archive the unattached volume " + nameOf(r),
			fmt.Sprintf("The %s volume %s of %s GiB in %s is attached to nothing. A snapshot keeps its content for a fraction of the cost.",
				r.Attributes[resource.AttrVolumeType], nameOf(r), r.Attributes[resource.AttrGiB], r.Region)
	},
}

func nameOf(r Observed) string {
	if r.Name != "" {
		return r.Name
	}
	return r.ID
}

func judgeIdleVolume(e *estate, r Observed) (*candidate, string) {
	if r.Type != resource.Volume || r.Attributes[resource.AttrState] != "available" || r.Attributes[resource.AttrAttachedTo] != "" {
		return nil, ""
	}
	days, doubts, refusal := e.unattached(r)
	if refusal != "" {
		return nil, refusal
	}
	now, source, refusal := e.volumeCost(r)
	if refusal != "" {
		return nil, refusal
	}
	gib, _ := number(r.Attributes, resource.AttrGiB) // volumeCost or the check below refuse when it is missing
	price, ok := e.book.snapshot(r.Region)
	switch {
	case gib == 0:
		return nil, "Its size is not known."
	case !ok:
		return nil, "The price of snapshots in " + r.Region + " is not known."
	case price.Currency != now.Currency:
		return nil, "The bill and the price list are in different currencies."
	}
	keep := effective(price.Amount.Mul(exact(gib)), now.Currency)
	state := before(plan.ArchiveVolume, r)
	return &candidate{
		resource: r, cost: now, saving: effective(now.Amount.Sub(keep.Amount), now.Currency), source: source, days: days, doubts: doubts,
		target: plan.Target{Ref: r.Ref, Before: state, After: becoming(state, map[string]string{resource.AttrState: plan.Archived})},
		measures: []measure{
			{"unattached days", float64(days), "days", "It has been attached to nothing for %s."},
			{"snapshot cost", keep.Float(), string(keep.Currency), "Keeping its snapshot costs at most %s a month."},
		},
		warnings: []string{"Undoing it gives the volume a new id; whatever names the old id must be told."},
	}, ""
}

// unattached is for how long the volume has been free, or why it is not known to be idle.
func (e *estate) unattached(r Observed) (days int, doubts []string, refusal string) {
	if text := r.Attributes[resource.AttrDetachedAt]; text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return 0, nil, "The time since when it is unattached cannot be read."
		}
		if days = e.daysSince(at); days < LeastDays {
			return 0, nil, fmt.Sprintf("It was detached %d days ago; it counts as idle after %d days.", days, LeastDays)
		}
		return days, nil, ""
	}
	doubts = []string{"the cloud does not tell since when it is unattached"}
	if ops, ok := e.usage(r.ID, resource.DiskOps); ok && ops.Max > 0 {
		return 0, nil, "It was read or written in the last days."
	} else if ok && ops.Days >= LeastDays {
		return ops.Days, doubts, ""
	}
	if r.SeenUnchanged.IsZero() {
		return 0, nil, "Nobody knows since when it is unattached."
	}
	if days = e.daysSince(r.SeenUnchanged); days < LeastDays {
		return 0, nil, fmt.Sprintf("It has been seen unattached for %d days only; it counts as idle after %d days.", days, LeastDays)
	}
	return days, doubts, ""
}
