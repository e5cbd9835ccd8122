package sandbox

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Truth is what a perfect agent would find in the estate. All amounts are USD of effective cost.
type Truth struct {
	Seed    int64     `json:"seed"`
	Start   time.Time `json:"start"` // first day with a bill
	Today   time.Time `json:"today"` // when simulated time began: what is planted lies before
	Now     time.Time `json:"now"`
	Fixes   []Fix     `json:"fixes"`
	Traps   []Trap    `json:"traps"`
	Planted []Planted `json:"planted"`
	Usual   []Usual   `json:"usual"`
	Bills   []Total   `json:"bills"`
}

// Fix is a change that is worth making, of targets in the form they were born with.
type Fix struct {
	ID      string         `json:"id"`
	Action  plan.Action    `json:"action"`
	Cloud   resource.Cloud `json:"cloud"`
	App     string         `json:"app,omitempty"`
	Targets []resource.Ref `json:"targets"`
	From    plan.State     `json:"from"` // the attributes that change
	To      plan.State     `json:"to"`
	// Daily is what a day costs less, all targets together; the snapshots of archived volumes are taken off.
	Daily decimal.Decimal `json:"daily_saving"`
}

// Trap is a change that looks worth making and is not.
type Trap struct {
	Fix
	Why string `json:"why"`
}

// Total is what the bills of one provider, as far as they are written now, add up to.
type Total struct {
	Provider   string          `json:"provider"`
	Rows       int             `json:"rows"`
	Billed     decimal.Decimal `json:"billed"`
	Effective  decimal.Decimal `json:"effective"`
	List       decimal.Decimal `json:"list"`
	Contracted decimal.Decimal `json:"contracted"`
}

// Truth works out the truth. It writes every bill to add it up, which takes seconds.
func (e *Estate) Truth() Truth {
	v := e.view()
	fixes, traps := v.fixes()
	t := Truth{Seed: v.base.Seed, Start: v.base.Start, Today: v.base.Today, Now: v.now, Fixes: fixes, Traps: traps, Planted: v.planted(), Usual: usuals()}
	for _, cloud := range resource.Clouds {
		t.Bills = append(t.Bills, v.total(cloud, cost.Period{Start: v.base.Start, End: v.now}))
	}
	return t
}

// WriteTruth writes the truth as truth.json into the folder of the estate and returns the path.
func (e *Estate) WriteTruth() (string, error) {
	if e.log.file == nil {
		return "", fault.New(fault.Conflict, "The sandbox was opened without a folder; open it with one to write the truth.")
	}
	doc, err := json.MarshalIndent(e.Truth(), "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(e.log.clock), "truth.json")
	return path, os.WriteFile(path, append(doc, '\n'), 0o644)
}

// total adds up the bills of the months that the period touches.
func (v *view) total(cloud resource.Cloud, period cost.Period) Total {
	t := Total{Provider: cloud.BillName()}
	for _, month := range period.Months() {
		v.bill(cloud, month.Start, func(row focus.Row) bool {
			t.Rows++
			t.Billed, t.Effective = t.Billed.Add(row.BilledCost), t.Effective.Add(row.EffectiveCost)
			t.List, t.Contracted = t.List.Add(row.ListCost), t.Contracted.Add(row.ContractedCost)
			return true
		})
	}
	return t
}

// candidate is a kind of change, and how the targets of it are told.
type candidate struct {
	id     string
	action plan.Action
	picks  func(*item) bool
	to     plan.State
	why    string // of a trap
}

func named(names ...string) func(*item) bool {
	return func(it *item) bool { return slices.Contains(names, it.name) }
}

// fleetOf picks the instances of an application.
func fleetOf(app string) func(*item) bool {
	return func(it *item) bool {
		return it.ref.Type == resource.Instance && it.app == app && it.name != gpuInstance
	}
}

func retyped(volumeType string, iops, mibps int) plan.State {
	return plan.State{resource.AttrVolumeType: volumeType, resource.AttrIOPS: strconv.Itoa(iops), resource.AttrThroughput: strconv.Itoa(mibps)}
}

func resized(size string) plan.State { return plan.State{resource.AttrSize: size} }

// candidates lists the fixes, which have no why, and the traps.
func candidates() []candidate {
	gone := plan.State{resource.AttrState: plan.Archived}
	out := []candidate{
		{"right-size-storefront", plan.ResizeInstance, fleetOf("storefront"), resized("m5.xlarge"), ""},
		{"right-size-suggestions", plan.ResizeInstance, fleetOf("suggestions"), resized("n2-standard-4"), ""},
		{"right-size-portal", plan.ResizeInstance, fleetOf("portal"), resized("Standard_D4s_v5"), ""},
		{"volume-type-events", plan.ChangeVolumeType, func(it *item) bool { return it.app == "events" && it.form.volumeType == "gp2" }, retyped("gp3", 3000, 125), ""},
		{"volume-type-erp", plan.ChangeVolumeType, func(it *item) bool { return it.app == "erp" && it.form.volumeType == "Premium_LRS" }, retyped("StandardSSD_LRS", 500, 100), ""},
		{"fragile-checkout", plan.ResizeInstance, fleetOf("checkout"), resized("m5.large"), "Its processors are idle, but when it is made smaller 15 to 20 % of its requests fail and the rest take twice the time."},
		{"memory-bound-search", plan.ResizeInstance, fleetOf("search"), resized("r5.large"), "Its processors are idle, but its memory is 85 % full."},
		{"no-downgrade-mirror", plan.ResizeInstance, fleetOf("mirror"), resized("vc2-4c-8gb"), "Vultr cannot make an instance smaller."},
		{"hot-volume", plan.ChangeVolumeType, named(hotVolume), retyped("gp3", 3000, 125), "It needs 5,500 IOPS and the 3,000 that gp3 includes would slow it down; with 6,000 provisioned ones a part of the saving remains."},
		{"busy-disk", plan.ChangeVolumeType, named(busyDisk), retyped("StandardSSD_LRS", 500, 100), "It needs 3,900 IOPS and a Standard SSD has 500; the portal would be slow."},
		{"fresh-volume", plan.ArchiveVolume, named(freshVolume), gone, "It was detached two days ago; somebody may be about to attach it again."},
		{"protected-volume", plan.ArchiveVolume, named(protectedVolume), gone, "Its tag " + protectedTag + " forbids any change."},
	}
	for _, s := range strays() {
		if s.name != freshVolume && s.name != protectedVolume {
			out = append(out, candidate{"archive-" + s.name, plan.ArchiveVolume, named(s.name), gone, ""})
		}
	}
	return out
}

// fixes are the candidates with their targets and what they are worth.
func (v *view) fixes() (fixes []Fix, traps []Trap) {
	for _, c := range candidates() {
		f := Fix{ID: c.id, Action: c.action, To: c.to}
		for _, it := range v.items {
			if it.from != "" || !c.picks(it) {
				continue
			}
			f.Targets = append(f.Targets, it.ref)
			f.Cloud, f.App = it.ref.Cloud, it.app
			f.From = plan.State{}
			for name := range c.to {
				f.From[name] = it.form.attributes(it.ref.Type, it.ref.Cloud)[name]
			}
			f.Daily = f.Daily.Add(daily(it, c.action, c.to))
		}
		if c.why == "" {
			fixes = append(fixes, f)
		} else {
			traps = append(traps, Trap{f, c.why})
		}
	}
	return fixes, traps
}

// daily is what one day of the resource costs less after the change: an instance that always runs, a volume that exists.
func daily(it *item, action plan.Action, to plan.State) decimal.Decimal {
	day := decimal.NewFromInt(24)
	before := costOf(charges(it, it.form, day))
	if action != plan.ArchiveVolume {
		return before.Sub(costOf(charges(it, it.form.apply(to), day)))
	}
	snapshot := &item{ref: it.ref}
	snapshot.ref.Type = resource.Snapshot
	return before.Sub(costOf(charges(snapshot, form{gib: it.form.gib}, day)))
}

func costOf(all []charge) decimal.Decimal {
	sum := decimal.Zero
	for _, c := range all {
		sum = sum.Add(c.quantity.Mul(c.price))
	}
	return sum
}

// TrueSaving is what the resources would have cost from one time to another in the form they were born with, less what
// they did cost with all that was made from them: snapshots and restored volumes. Days to come count as if nothing changed
// any more. For whole days it is exactly what the
// bill is lower by, except for instances that the savings plan covers, of which none is worth a change.
func (e *Estate) TrueSaving(refs []resource.Ref, from, to time.Time) decimal.Decimal {
	v := e.view()
	untouched := &view{base: v.base, now: v.now}
	saved := decimal.Zero
	for _, ref := range refs {
		it := v.find(ref)
		if it == nil {
			continue
		}
		saved = saved.Add(untouched.spent(it, from, to)).Sub(v.spent(it, from, to))
		for _, heir := range v.heirs(it) {
			saved = saved.Sub(v.spent(heir, from, to))
		}
	}
	return saved
}

// spent is what the resource cost from one time to another, day by day as the bill counts it.
func (v *view) spent(it *item, from, to time.Time) decimal.Decimal {
	sum := decimal.Zero
	for day := midnight(from); day.Before(to); day = day.AddDate(0, 0, 1) {
		for _, s := range v.spans(it, later(day, from), earlier(day.AddDate(0, 0, 1), to)) {
			sum = sum.Add(costOf(charges(it, s.form, hoursIn(it.billed(s)))))
		}
	}
	return sum
}

// heirs are all resources that actions made from this one.
func (v *view) heirs(of *item) []*item {
	var out []*item
	for _, it := range v.items {
		if it.from == of.ref.ID {
			out = append(append(out, it), v.heirs(it)...)
		}
	}
	return out
}
