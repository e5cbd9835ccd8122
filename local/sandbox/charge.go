package sandbox

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// charge is one thing that a resource is billed for.
type charge struct {
	service, category, subcategory string
	sku, text, unit                string
	quantity, price                decimal.Decimal
}

// charges are the bill of one resource in one form over so many hours: a pure function, which the truth about savings
// uses too.
func charges(it *item, f form, hours decimal.Decimal) []charge {
	cloud, region := it.ref.Cloud, it.ref.Region
	months := hours.DivRound(hoursPerMonth, 12)
	by := func(n int) decimal.Decimal { return months.Mul(decimal.NewFromInt(int64(n))) }
	switch it.ref.Type {
	case resource.Instance:
		s, known := instanceSizes[cloud][f.size]
		if !known || f.state == "stopped" && cloud != resource.Vultr { // Vultr bills halted instances too
			return nil
		}
		name := map[resource.Cloud]string{resource.AWS: "Amazon Elastic Compute Cloud", resource.GCP: "Compute Engine", resource.Azure: "Virtual Machines", resource.Vultr: "Cloud Compute"}[cloud]
		return []charge{{name, "Compute", "Virtual Machines", f.size, "On demand " + f.size + " Linux", "Hours", hours, regional(s.hourly, region)}}
	case resource.Volume:
		return volumeCharges(cloud, region, f, by)
	case resource.Snapshot:
		name := map[resource.Cloud]string{resource.AWS: "Amazon Elastic Compute Cloud", resource.GCP: "Compute Engine", resource.Azure: "Managed Disks", resource.Vultr: "Snapshots"}[cloud]
		return []charge{{name, "Storage", "Backup Storage", "snapshot", "Snapshot data stored", "GB-Mo", by(f.gib), regional(snapshotMonth, region)}}
	case resource.Database:
		name := map[resource.Cloud]string{resource.AWS: "Amazon Relational Database Service", resource.GCP: "Cloud SQL", resource.Azure: "SQL Database", resource.Vultr: "Managed Databases"}[cloud]
		return []charge{
			{name, "Databases", "Relational Databases", f.size, "Database " + f.size, "Hours", hours, regional(databaseSizes[cloud][f.size].hourly, region)},
			{name, "Databases", "Relational Databases", "database-storage", "Database storage", "GB-Mo", by(f.gib), regional(databaseDisk, region)},
		}
	case resource.Address:
		return []charge{{"Amazon Virtual Private Cloud", "Networking", "Network Infrastructure", "public-ipv4", "Public IPv4 address", "Hours", hours, regional(addressHour, region)}}
	}
	return nil
}

func volumeCharges(cloud resource.Cloud, region string, f form, by func(int) decimal.Decimal) []charge {
	name := map[resource.Cloud]string{resource.AWS: "Amazon Elastic Compute Cloud", resource.GCP: "Compute Engine", resource.Azure: "Managed Disks", resource.Vultr: "Block Storage"}[cloud]
	d := disks[cloud][f.volumeType]
	out := []charge{{name, "Storage", "Block Storage", f.volumeType, f.volumeType + " provisioned storage", "GB-Mo", by(f.gib), regional(d.gib, region)}}
	if extra := f.iops - d.iops; d.iopsMonth != "" && extra > 0 {
		out = append(out, charge{name, "Storage", "Block Storage", f.volumeType + "-iops", f.volumeType + " provisioned IOPS", "IOPS-Mo", by(extra), regional(d.iopsMonth, region)})
	}
	if extra := f.mibps - d.mibps; d.mibpsMonth != "" && extra > 0 {
		out = append(out, charge{name, "Storage", "Block Storage", f.volumeType + "-throughput", f.volumeType + " provisioned throughput", "MiBps-Mo", by(extra), regional(d.mibpsMonth, region)})
	}
	return out
}

// hourlyCost is what a resource costs an hour in a form.
func hourlyCost(it *item, f form) decimal.Decimal {
	return costOf(charges(it, f, hoursPerMonth)).DivRound(hoursPerMonth, 12)
}

// hoursIn gives exact hours to the fourth place, about a third of a second.
func hoursIn(d time.Duration) decimal.Decimal {
	return decimal.NewFromInt(int64(d)).DivRound(decimal.NewFromInt(int64(time.Hour)), 4)
}
