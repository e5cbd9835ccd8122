// Package plan is the frozen description of a change: exactly which targets, in which state they were found, and what
// each is to become. An approval binds to its hash, so nothing else can be carried out under that approval.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// Action names a kind of change. The cloud adapters implement it, the rules choose it.
type Action string

// The actions.
const (
	ResizeInstance   Action = "resize-instance"    // stop, change the size, start
	ChangeVolumeType Action = "change-volume-type" // online
	ArchiveVolume    Action = "archive-volume"     // snapshot and tag, then delete; undone by restoring the snapshot under a new id
)

// Archived is the resource.AttrState of a volume of which only a snapshot is left. No cloud reports it; it stands in the
// state After of an ArchiveVolume, and is what a receipt of it says.
const Archived = "archived"

// ProtectedTag is the tag by which an owner keeps a resource out of every plan and every execution.
const ProtectedTag = "cost-agent:protected"

// Protected reports whether the tags of a resource forbid any change of it: they hold ProtectedTag with any value but "false".
func Protected(tags map[string]string) bool {
	value, tagged := tags[ProtectedTag]
	return tagged && !strings.EqualFold(value, "false")
}

// Attributes lists what an action reads or writes: Capture returns exactly these, and the states of a plan hold them.
// Nil for an unknown action. An archived volume is restored from them, so they are all that it costs and performs.
func Attributes(a Action) []string {
	switch a {
	case ResizeInstance:
		return []string{resource.AttrSize, resource.AttrState}
	case ChangeVolumeType:
		return []string{resource.AttrVolumeType, resource.AttrIOPS, resource.AttrThroughput}
	case ArchiveVolume:
		return []string{resource.AttrState, resource.AttrAttachedTo, resource.AttrGiB, resource.AttrVolumeType,
			resource.AttrIOPS, resource.AttrThroughput}
	}
	return nil
}

// Pick is the state that the action is concerned with, out of all attributes of a resource. An attribute that the
// resource does not have is left out.
func Pick(a Action, attributes map[string]string) State {
	out := State{}
	for _, name := range Attributes(a) {
		if value, ok := attributes[name]; ok {
			out[name] = value
		}
	}
	return out
}

// State holds the attributes of a target that the change reads or writes (resource.Attr names), no others: so that an
// unrelated change of the target is not drift.
type State map[string]string

// Equal reports whether both states hold the same attributes with the same values.
func (s State) Equal(other State) bool {
	if len(s) != len(other) {
		return false
	}
	for k, v := range s {
		if got, ok := other[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// Target is one resource of a plan.
type Target struct {
	Ref    resource.Ref `json:"ref"`
	Before State        `json:"before"` // as captured when the plan was made
	After  State        `json:"after"`  // as it must be found when the change has been made
	// Watch names the resources whose health tells whether the change did harm: the instance itself, or the one a volume
	// is attached to. Empty means that nothing depends on the target and only its state is verified.
	Watch []resource.Ref `json:"watch,omitempty"`
}

// Plan is what is approved. The order of the targets is the order in which they are changed.
type Plan struct {
	Cloud   resource.Cloud `json:"cloud"`
	Action  Action         `json:"action"`
	Targets []Target       `json:"targets"`
}

// Hash is the SHA-256 of the plan's canonical JSON (struct order, sorted map keys), in hex.
func (p Plan) Hash() string {
	doc, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and maps of strings always marshal
	}
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:])
}
