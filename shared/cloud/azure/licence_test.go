package azure_test

import (
	"maps"
	"net/http"
	"testing"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	computefake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	subfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/fake"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// windows makes the world have machines with Windows, by names that tell their licence type, under an offer.
func (w *world) windows(quota string, licences ...*string) {
	w.subscriptions(portal)
	w.estate()
	shown := subfake.Server{NewListPager: func(*armsubscriptions.ClientListOptions) (resp azfake.PagerResponder[armsubscriptions.ClientListResponse]) {
		resp.AddPage(http.StatusOK, armsubscriptions.ClientListResponse{SubscriptionListResult: armsubscriptions.SubscriptionListResult{
			Value: []*armsubscriptions.Subscription{{SubscriptionID: ptr(portal), State: ptr(armsubscriptions.SubscriptionStateEnabled), SubscriptionPolicies: &armsubscriptions.SubscriptionPolicies{QuotaID: &quota}}},
		}}, nil)
		return resp
	}}
	w.servers["Client.NewListPager"] = subfake.NewServerTransport(&shown)
	w.servers["VirtualMachinesClient"] = computefake.NewVirtualMachinesServerTransport(&computefake.VirtualMachinesServer{
		NewListAllPager: func(*armcompute.VirtualMachinesClientListAllOptions) (resp azfake.PagerResponder[armcompute.VirtualMachinesClientListAllResponse]) {
			for _, licence := range licences {
				name := "not-told"
				if licence != nil {
					name = *licence
				}
				resp.AddPage(http.StatusOK, armcompute.VirtualMachinesClientListAllResponse{VirtualMachineListResult: armcompute.VirtualMachineListResult{Value: []*armcompute.VirtualMachine{{
					ID: id("Microsoft.Compute/virtualMachines/" + name), Name: &name, Location: ptr("westeurope"),
					Properties: &armcompute.VirtualMachineProperties{LicenseType: licence, StorageProfile: &armcompute.StorageProfile{OSDisk: &armcompute.OSDisk{OSType: ptr(armcompute.OperatingSystemTypesWindows)}}},
				}}}}, nil)
			}
			return resp
		},
	})
}

func TestMachinesSayWhetherTheyPayForWindows(t *testing.T) {
	t.Parallel()
	for quota, want := range map[string]map[string]string{
		"EnterpriseAgreement_2014-09-01": {"not-told": "", "None": "", "Windows_Server": resource.OwnLicence, "Windows_Client": resource.OwnLicence}, // Azure Hybrid Benefit
		"MSDNDevTest_2014-09-01":         {"not-told": resource.OwnLicence, "None": resource.OwnLicence, "Windows_Server": resource.OwnLicence, "Windows_Client": resource.OwnLicence},
	} {
		w := newWorld(t)
		w.windows(quota, nil, ptr("None"), ptr("Windows_Server"), ptr("Windows_Client"))
		got, err := w.open("s", nil).Resources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		licences := map[string]string{}
		for _, r := range got.Resources {
			if r.Type != resource.Instance {
				continue
			}
			if r.Attributes[resource.AttrOS] != "windows" {
				t.Errorf("%s: %+v", r.Name, r.Attributes)
			}
			licences[r.Name] = r.Attributes[resource.AttrLicence]
		}
		if !maps.Equal(licences, want) {
			t.Errorf("%s: %v, want %v", quota, licences, want)
		}
	}
}
