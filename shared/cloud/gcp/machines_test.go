package gcp

import (
	"testing"

	"google.golang.org/api/compute/v1"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// A licence that is brought along is not on the bill, and that of SQL Server does not shrink with the machine.
func TestLicencesThatPricesDependOn(t *testing.T) {
	t.Parallel()
	const images = "https://www.googleapis.com/compute/v1/projects/windows-cloud/global/licenses/"
	for name, tt := range map[string]struct {
		boot, data []string
		os, want   string
	}{
		"Linux":           {boot: []string{"https://www.googleapis.com/compute/v1/projects/debian-cloud/global/licenses/debian-12-bookworm"}, os: "linux"},
		"Windows":         {boot: []string{images + "windows-server-2022-dc"}, os: "windows"},
		"brought along":   {boot: []string{images + "windows-server-2022-byol"}, os: "windows", want: resource.OwnLicence},
		"SQL Server":      {boot: []string{images + "windows-server-2022-dc", "https://www.googleapis.com/compute/v1/projects/windows-sql-cloud/global/licenses/sql-server-2022-standard"}, os: "windows", want: resource.SQLServerLicence},
		"SQL Express":     {boot: []string{images + "windows-server-2022-dc", "https://www.googleapis.com/compute/v1/projects/windows-sql-cloud/global/licenses/sql-server-2022-express"}, os: "windows"},
		"a disk of other": {boot: []string{images + "windows-server-2022-dc"}, data: []string{images + "windows-server-2019-byol"}, os: "windows"},
	} {
		g := newGoogle(t)
		f := g.collector(connection(), g.options()).found()
		f.instance("shop-prod", &compute.Instance{Id: 1, Zone: "zones/europe-west3-a", Disks: []*compute.AttachedDisk{{Boot: true, Licenses: tt.boot}, {Licenses: tt.data}}})
		got := f.resources[0].Attributes
		if got[resource.AttrOS] != tt.os || got[resource.AttrLicence] != tt.want {
			t.Errorf("%s: %s with the licence %q", name, got[resource.AttrOS], got[resource.AttrLicence])
		}
	}
}

func TestADiskInTwoZonesIsNotThatOfOne(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]string{"zones/europe-west3-a": "pd-ssd", "regions/europe-west3": "regional-pd-ssd"} {
		if got := diskType(scope, &compute.Disk{Type: scope + "/diskTypes/pd-ssd"}); got != want {
			t.Errorf("in %s: %s, want %s", scope, got, want)
		}
	}
}
