package azure_test

import (
	"context"
	"net/http"
	"strings"
	"time"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/monitor/query/azmetrics"
	metricsfake "github.com/Azure/azure-sdk-for-go/sdk/monitor/query/azmetrics/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	computefake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v7"
	networkfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v7/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/sql/armsql"
	sqlfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/sql/armsql/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"
	storagefake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2/fake"
)

var born = time.Date(2025, 3, 1, 8, 0, 0, 0, time.FixedZone("", 7200))

func id(path string) *string {
	return ptr("/subscriptions/" + strings.ToUpper(portal) + "/resourceGroups/RG-Portal/providers/" + path)
}

// estate fills the world with resources, over two pages each and an empty one between them.
func (w *world) estate() {
	w.machines()
	w.servers["DisksClient"] = computefake.NewDisksServerTransport(&computefake.DisksServer{
		NewListPager: func(*armcompute.DisksClientListOptions) (resp azfake.PagerResponder[armcompute.DisksClientListResponse]) {
			disks := []*armcompute.Disk{
				{
					ID: id("Microsoft.Compute/disks/portal-01-data"), Name: ptr("portal-01-data"), Location: ptr("westeurope"), ManagedBy: id("Microsoft.Compute/virtualMachines/portal-01"),
					SKU: &armcompute.DiskSKU{Name: ptr(armcompute.DiskStorageAccountTypesPremiumLRS)}, Tags: map[string]*string{"team": ptr("partners")},
					Properties: &armcompute.DiskProperties{DiskSizeGB: ptr(int32(512)), DiskIOPSReadWrite: ptr(int64(2300)), DiskMBpsReadWrite: ptr(int64(150)), DiskState: ptr(armcompute.DiskStateAttached), TimeCreated: &born},
				},
				{
					ID: id("Microsoft.Compute/disks/left-over"), Name: ptr("left-over"), Location: ptr("westeurope"), SKU: &armcompute.DiskSKU{Name: ptr(armcompute.DiskStorageAccountTypesStandardSSDLRS)},
					Properties: &armcompute.DiskProperties{DiskSizeGB: ptr(int32(64)), DiskState: ptr(armcompute.DiskStateUnattached), LastOwnershipUpdateTime: &born},
				},
			}
			for _, d := range disks {
				resp.AddPage(http.StatusOK, armcompute.DisksClientListResponse{DiskList: armcompute.DiskList{Value: []*armcompute.Disk{d}}}, nil)
				resp.AddPage(http.StatusOK, armcompute.DisksClientListResponse{}, nil)
			}
			return resp
		},
	})
	w.servers["SnapshotsClient"] = computefake.NewSnapshotsServerTransport(&computefake.SnapshotsServer{
		NewListPager: func(*armcompute.SnapshotsClientListOptions) (resp azfake.PagerResponder[armcompute.SnapshotsClientListResponse]) {
			resp.AddPage(http.StatusOK, armcompute.SnapshotsClientListResponse{SnapshotList: armcompute.SnapshotList{Value: []*armcompute.Snapshot{{
				ID: id("Microsoft.Compute/snapshots/before-upgrade"), Name: ptr("before-upgrade"), Location: ptr("westeurope"), SKU: &armcompute.SnapshotSKU{Name: ptr(armcompute.SnapshotStorageAccountTypesStandardLRS)},
				Properties: &armcompute.SnapshotProperties{DiskSizeGB: ptr(int32(512)), TimeCreated: &born},
			}}}}, nil)
			return resp
		},
	})
	w.stores()
	w.services()
	w.advises()
}

func (w *world) machines() {
	machine := func(name, power string, size armcompute.VirtualMachineSizeTypes) (vm, status *armcompute.VirtualMachine) {
		vm = &armcompute.VirtualMachine{
			ID: id("Microsoft.Compute/virtualMachines/" + name), Name: &name, Location: ptr("westeurope"), Tags: map[string]*string{"team": ptr("partners"), "empty": nil},
			Properties: &armcompute.VirtualMachineProperties{
				HardwareProfile: &armcompute.HardwareProfile{VMSize: &size}, TimeCreated: &born,
				StorageProfile: &armcompute.StorageProfile{OSDisk: &armcompute.OSDisk{OSType: ptr(armcompute.OperatingSystemTypesLinux)}},
			},
		}
		status = &armcompute.VirtualMachine{ID: ptr(strings.ToUpper(*vm.ID)), Properties: &armcompute.VirtualMachineProperties{InstanceView: &armcompute.VirtualMachineInstanceView{
			Statuses: []*armcompute.InstanceViewStatus{{Code: ptr("ProvisioningState/succeeded")}, {Code: ptr("PowerState/" + power)}},
		}}}
		return vm, status
	}
	w.servers["VirtualMachinesClient"] = computefake.NewVirtualMachinesServerTransport(&computefake.VirtualMachinesServer{
		NewListAllPager: func(o *armcompute.VirtualMachinesClientListAllOptions) (resp azfake.PagerResponder[armcompute.VirtualMachinesClientListAllResponse]) {
			for name, power := range map[string]string{"portal-01": "running", "portal-02": "deallocated", "portal-03": "stopped"} {
				vm, status := machine(name, power, "Standard_D2s_v5")
				if o != nil && o.StatusOnly != nil && *o.StatusOnly == "true" {
					vm = status
				}
				resp.AddPage(http.StatusOK, armcompute.VirtualMachinesClientListAllResponse{VirtualMachineListResult: armcompute.VirtualMachineListResult{Value: []*armcompute.VirtualMachine{vm}}}, nil)
			}
			return resp
		},
	})
	w.servers["ResourceSKUsClient"] = computefake.NewResourceSKUsServerTransport(&computefake.ResourceSKUsServer{
		NewListPager: func(o *armcompute.ResourceSKUsClientListOptions) (resp azfake.PagerResponder[armcompute.ResourceSKUsClientListResponse]) {
			if o == nil || o.Filter == nil || *o.Filter != "location eq 'westeurope'" {
				w.t.Errorf("the sizes of all regions were asked for: %+v", o)
			}
			resp.AddPage(http.StatusOK, armcompute.ResourceSKUsClientListResponse{ResourceSKUsResult: armcompute.ResourceSKUsResult{Value: []*armcompute.ResourceSKU{
				{Name: ptr("Standard_LRS"), ResourceType: ptr("disks")},
				{Name: ptr("Standard_D2s_v5"), ResourceType: ptr("virtualMachines"), Capabilities: []*armcompute.ResourceSKUCapabilities{{Name: ptr("vCPUs"), Value: ptr("2")}, {Name: ptr("MemoryGB"), Value: ptr("8")}}},
				{Name: ptr("Standard_E8-4s_v5"), ResourceType: ptr("virtualMachines"), Capabilities: []*armcompute.ResourceSKUCapabilities{{Name: ptr("vCPUsAvailable"), Value: ptr("4")}, {Name: ptr("vCPUs"), Value: ptr("8")}, {Name: ptr("MemoryGB"), Value: ptr("64")}}},
			}}}, nil)
			return resp
		},
	})
}

func (w *world) stores() {
	w.servers["PublicIPAddressesClient"] = networkfake.NewPublicIPAddressesServerTransport(&networkfake.PublicIPAddressesServer{
		NewListAllPager: func(*armnetwork.PublicIPAddressesClientListAllOptions) (resp azfake.PagerResponder[armnetwork.PublicIPAddressesClientListAllResponse]) {
			for name, attached := range map[string]*armnetwork.IPConfiguration{"used": {ID: id("Microsoft.Network/networkInterfaces/nic/ipConfigurations/one")}, "unused": nil} {
				resp.AddPage(http.StatusOK, armnetwork.PublicIPAddressesClientListAllResponse{PublicIPAddressListResult: armnetwork.PublicIPAddressListResult{Value: []*armnetwork.PublicIPAddress{{
					ID: id("Microsoft.Network/publicIPAddresses/" + name), Name: &name, Location: ptr("westeurope"), SKU: &armnetwork.PublicIPAddressSKU{Name: ptr(armnetwork.PublicIPAddressSKUNameStandard)},
					Properties: &armnetwork.PublicIPAddressPropertiesFormat{IPConfiguration: attached},
				}}}}, nil)
			}
			return resp
		},
	})
	w.servers["ServersClient"] = sqlfake.NewServersServerTransport(&sqlfake.ServersServer{
		NewListPager: func(*armsql.ServersClientListOptions) (resp azfake.PagerResponder[armsql.ServersClientListResponse]) {
			resp.AddPage(http.StatusOK, armsql.ServersClientListResponse{ServerListResult: armsql.ServerListResult{Value: []*armsql.Server{{ID: id("Microsoft.Sql/servers/ledger"), Name: ptr("ledger")}}}}, nil)
			return resp
		},
	})
	w.servers["DatabasesClient"] = sqlfake.NewDatabasesServerTransport(&sqlfake.DatabasesServer{
		NewListByServerPager: func(group, server string, _ *armsql.DatabasesClientListByServerOptions) (resp azfake.PagerResponder[armsql.DatabasesClientListByServerResponse]) {
			if group != "rg-portal" || server != "ledger" {
				w.t.Errorf("databases of %s/%s were asked for", group, server)
			}
			resp.AddPage(http.StatusOK, armsql.DatabasesClientListByServerResponse{DatabaseListResult: armsql.DatabaseListResult{Value: []*armsql.Database{
				{ID: id("Microsoft.Sql/servers/ledger/databases/master"), Name: ptr("master"), Location: ptr("westeurope")},
				{
					ID: id("Microsoft.Sql/servers/ledger/databases/books"), Name: ptr("books"), Location: ptr("westeurope"), SKU: &armsql.SKU{Name: ptr("GP_Gen5"), Capacity: ptr(int32(4))},
					Properties: &armsql.DatabaseProperties{CurrentServiceObjectiveName: ptr("GP_Gen5_4"), Status: ptr(armsql.DatabaseStatusOnline), MaxSizeBytes: ptr(int64(500 << 30)), CreationDate: &born},
				},
			}}}, nil)
			return resp
		},
	})
	w.servers["AccountsClient"] = storagefake.NewAccountsServerTransport(&storagefake.AccountsServer{
		NewListPager: func(*armstorage.AccountsClientListOptions) (resp azfake.PagerResponder[armstorage.AccountsClientListResponse]) {
			resp.AddPage(http.StatusOK, armstorage.AccountsClientListResponse{AccountListResult: armstorage.AccountListResult{Value: []*armstorage.Account{{
				ID: id("Microsoft.Storage/storageAccounts/portal"), Name: ptr("portal"), Location: ptr("westeurope"), SKU: &armstorage.SKU{Name: ptr(armstorage.SKUNameStandardLRS)},
			}}}}, nil)
			return resp
		},
	})
}

// metrics makes the world answer about each resource and metric with the values, an hour apart from the beginning of the question
// on; nil is an hour without a value.
func (w *world) metrics(values ...*float64) {
	w.servers["Client.QueryResources"] = metricsfake.NewServerTransport(&metricsfake.Server{
		QueryResources: func(_ context.Context, _, namespace string, names []string, ids azmetrics.ResourceIDList, o *azmetrics.QueryResourcesOptions) (resp azfake.Responder[azmetrics.QueryResourcesResponse], errResp azfake.ErrorResponder) {
			var answer azmetrics.MetricResults
			from, err := time.Parse(time.RFC3339, *o.StartTime)
			if err != nil || len(ids.ResourceIDs) > 50 {
				w.t.Errorf("%d resources from %s", len(ids.ResourceIDs), *o.StartTime)
			}
			for _, resource := range ids.ResourceIDs {
				data := azmetrics.MetricData{ResourceID: ptr(strings.ToUpper(resource)), Namespace: &namespace, StartTime: o.StartTime, EndTime: o.EndTime, Values: []azmetrics.Metric{}}
				for _, name := range names {
					series := azmetrics.TimeSeriesElement{Data: []azmetrics.MetricValue{}}
					for i, v := range values {
						point := azmetrics.MetricValue{TimeStamp: ptr(from.Add(time.Duration(i) * time.Hour)), Average: v}
						if *o.Aggregation == "Total" {
							point.Average, point.Total = nil, v
						}
						series.Data = append(series.Data, point)
					}
					data.Values = append(data.Values, azmetrics.Metric{
						ID: &name, Type: ptr("Microsoft.Insights/metrics"), Name: &azmetrics.LocalizableString{Value: &name}, Unit: ptr(azmetrics.MetricUnitCount),
						TimeSeries: []azmetrics.TimeSeriesElement{series},
					})
				}
				answer.Values = append(answer.Values, data)
			}
			resp.SetResponse(http.StatusOK, azmetrics.QueryResourcesResponse{MetricResults: answer}, nil)
			return resp, errResp
		},
	})
}
