package sandbox

import (
	"strconv"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// apply gives f with the attributes that a change sets.
func (f form) apply(set map[string]string) form {
	for name, value := range set {
		switch name {
		case resource.AttrState:
			f.state = value
		case resource.AttrSize:
			f.size = value
		case resource.AttrVolumeType:
			f.volumeType = value
		case resource.AttrGiB:
			f.gib = atoi(value)
		case resource.AttrIOPS:
			f.iops = atoi(value)
		case resource.AttrThroughput:
			f.mibps = atoi(value)
		case resource.AttrAttachedTo:
			f.attachedTo = value
		case resource.AttrDetachedAt:
			f.detachedAt = value
		}
	}
	return f
}

// atoi reads a number that this package wrote itself or has checked.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// attributes are the form as the inventory shows it.
func (f form) attributes(typ resource.Type, cloud resource.Cloud) map[string]string {
	out := map[string]string{}
	if f.state != "" {
		out[resource.AttrState] = f.state
	}
	switch typ {
	case resource.Instance, resource.Database:
		sizes := instanceSizes
		if typ == resource.Database {
			sizes = databaseSizes
		}
		out[resource.AttrSize] = f.size
		for k, v := range sizes[cloud][f.size].attributes() {
			out[k] = v
		}
		if typ == resource.Instance {
			out[resource.AttrOS] = "linux"
		} else {
			out[resource.AttrGiB] = strconv.Itoa(f.gib)
		}
	case resource.Volume:
		out[resource.AttrVolumeType], out[resource.AttrGiB] = f.volumeType, strconv.Itoa(f.gib)
		out[resource.AttrIOPS], out[resource.AttrThroughput] = strconv.Itoa(f.iops), strconv.Itoa(f.mibps)
		out[resource.AttrAttachedTo] = f.attachedTo
		if f.detachedAt != "" {
			out[resource.AttrDetachedAt] = f.detachedAt
		}
	case resource.Snapshot:
		out[resource.AttrGiB] = strconv.Itoa(f.gib)
	}
	return out
}

// settable reports whether an attribute of that name can have that value.
func settable(name, value string) bool {
	switch name {
	case resource.AttrState, resource.AttrSize, resource.AttrVolumeType, resource.AttrAttachedTo, resource.AttrDetachedAt:
		return true
	case resource.AttrGiB, resource.AttrIOPS, resource.AttrThroughput:
		n, err := strconv.Atoi(value)
		return err == nil && n >= 0
	}
	return false
}

// accepts reports whether the resource can have the attributes: its cloud must know a size or a volume type.
func (it *item) accepts(set map[string]string) bool {
	sizes := instanceSizes[it.ref.Cloud]
	if it.ref.Type == resource.Database {
		sizes = databaseSizes[it.ref.Cloud]
	}
	if name, asked := set[resource.AttrSize]; asked {
		if _, known := sizes[name]; !known || it.ref.Type != resource.Instance && it.ref.Type != resource.Database {
			return false
		}
	}
	if name, asked := set[resource.AttrVolumeType]; asked {
		if _, known := disks[it.ref.Cloud][name]; !known || it.ref.Type != resource.Volume {
			return false
		}
	}
	return true
}
