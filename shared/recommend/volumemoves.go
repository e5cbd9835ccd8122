package recommend

import (
	"math"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// performance is what a volume can do.
type performance struct {
	iops, mibps float64
}

// volumeMove is a step to a cheaper volume type that can be taken on a volume as it stands.
type volumeMove struct {
	cloud    resource.Cloud
	from, to string
	own      func(gib float64) performance // of the type it has, without what was bought on top
	included func(gib float64) performance // of the new type, without extra charge
	buyable  *performance                  // up to which more can be bought; nil: what is included is all
	warning  string
}

// volumeMoves holds the providers' published figures per type: AWS "Amazon EBS volume types", Google "About Persistent
// Disk performance", Microsoft "Azure managed disk types".
var volumeMoves = []volumeMove{
	{cloud: resource.AWS, from: "gp2", to: "gp3", own: gp2, included: fixed(3000, 125), buyable: &performance{16000, 1000},
		warning: "AWS allows four changes of a volume in 24 hours, so it cannot be changed back and forth at will."},
	{cloud: resource.Azure, from: "Premium_LRS", to: "StandardSSD_LRS", own: tiers(premiumTiers), included: tiers(standardTiers),
		warning: "Azure changes the type of an attached disk only while its machine is deallocated."},
	{cloud: resource.GCP, from: "pd-ssd", to: "pd-balanced", own: pd(30, 0.48, 100000, 1200), included: pd(6, 0.28, 80000, 1200),
		warning: "Google Cloud changes the type of a persistent disk by way of a snapshot."},
}

func moveOf(cloud resource.Cloud, from string) (volumeMove, bool) {
	for _, m := range volumeMoves {
		if m.cloud == cloud && m.from == from {
			return m, true
		}
	}
	return volumeMove{}, false
}

func fixed(iops, mibps float64) func(float64) performance {
	return func(float64) performance { return performance{iops, mibps} }
}

// gp2 earns three IOPS a GiB, from 100 to 16,000; throughput is 128 MiB/s up to 170 GiB and 250 MiB/s above.
func gp2(gib float64) performance {
	p := performance{min(max(100, 3*gib), 16000), 128}
	if gib > 170 {
		p.mibps = 250
	}
	return p
}

// pd earns IOPS and throughput with its size, up to what one disk can do.
func pd(iopsPerGiB, mibpsPerGiB, mostIOPS, mostMiBps float64) func(float64) performance {
	return func(gib float64) performance {
		return performance{min(iopsPerGiB*gib, mostIOPS), min(mibpsPerGiB*gib, mostMiBps)}
	}
}

// tier is what a disk of at most so many GiB performs.
type tier struct {
	gib float64
	performance
}

var premiumTiers = []tier{
	{32, performance{120, 25}}, {64, performance{240, 50}}, {128, performance{500, 100}}, {256, performance{1100, 125}},
	{512, performance{2300, 150}}, {1024, performance{5000, 200}}, {4096, performance{7500, 250}},
	{8192, performance{16000, 500}}, {16384, performance{18000, 750}}, {math.Inf(1), performance{20000, 900}},
}

var standardTiers = []tier{
	{4096, performance{500, 100}}, {8192, performance{2000, 400}}, {16384, performance{4000, 600}}, {math.Inf(1), performance{6000, 750}},
}

func tiers(table []tier) func(float64) performance {
	return func(gib float64) performance {
		for _, t := range table {
			if gib <= t.gib {
				return t.performance
			}
		}
		return table[len(table)-1].performance
	}
}
