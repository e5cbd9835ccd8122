package recommend

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// size is an instance size of a family with what it offers.
type size struct {
	name      string
	vcpu      float64
	memoryGiB float64 // 0 when not known
	variant   string  // of the price
	price     resource.Price
}

// families split a size into the family and the place in it, per cloud. Sizes of one family have the same architecture and
// the same share of memory to processors, so moving within it needs no new image.
var families = map[resource.Cloud]*regexp.Regexp{
	resource.AWS:   regexp.MustCompile(`^([a-z][a-z0-9-]*)\.(?:nano|micro|small|medium|large|\d*xlarge)$`),
	resource.GCP:   regexp.MustCompile(`^([a-z]\d[a-z]?-(?:standard|highmem|highcpu))-\d+$`),
	resource.Azure: regexp.MustCompile(`^(Standard_[A-Z]+)\d+([a-z]*(?:_v\d+)?)$`),
}

// family names the family of a size. It reports false for sizes that stand alone: bare metal, custom, constrained ones.
func family(cloud resource.Cloud, size string) (string, bool) {
	shape := families[cloud]
	if shape == nil {
		return "", false
	}
	match := shape.FindStringSubmatch(size)
	if match == nil {
		return "", false
	}
	name := match[1]
	if len(match) > 2 {
		name += "#" + match[2]
	}
	return name, true
}

// sizeOf is a size as the price list of the region knows it, at the variant of the price. Attributes of the instance itself win.
func (b priceBook) sizeOf(region, name, variant string, own map[string]string) (size, bool) {
	price, ok := b.prices[priceKey{region, resource.Instance, name, perHour, variant}]
	s := size{name: name, variant: variant, price: price}
	for _, attributes := range []map[string]string{price.Attributes, own} {
		if v, known := number(attributes, resource.AttrVCPU); known {
			s.vcpu = v
		}
		if v, known := number(attributes, resource.AttrMemoryGiB); known {
			s.memoryGiB = v
		}
	}
	return s, ok
}

// smaller lists the sizes of the same family that the region offers for less, the largest first.
func (b priceBook) smaller(cloud resource.Cloud, region string, than size) []size {
	own, ok := family(cloud, than.name)
	if !ok {
		return nil
	}
	var out []size
	for _, name := range b.families[familyKey{cloud, region, own, than.variant}] {
		s, ok := b.sizeOf(region, name, than.variant, nil)
		if ok && s.vcpu > 0 && s.vcpu < than.vcpu && s.price.Currency == than.price.Currency && s.price.Amount.LessThan(than.price.Amount) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(x, y size) int { return cmp.Or(cmp.Compare(y.vcpu, x.vcpu), cmp.Compare(x.name, y.name)) })
	return out
}
