package azure_test

import (
	"fmt"
	"net/http"
	"strconv"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	computefake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v7"
	networkfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v7/fake"
)

// pages answers a list of the resource manager with the items, one a page with an empty page before each.
func (w *world) pages(path string, items ...string) {
	w.paths[path] = func(out http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer azure-token" || r.URL.Query().Get("api-version") == "" {
			w.t.Errorf("%s was asked without a token or a version", r.URL)
		}
		page := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("$skiptoken"), &page)
		item, next := "", ""
		if page%2 == 1 && page/2 < len(items) {
			item = items[page/2]
		}
		if page < 2*len(items)-1 {
			q := r.URL.Query()
			q.Set("$skiptoken", strconv.Itoa(page+1))
			next = w.link(r.URL.Path + "?" + q.Encode())
		}
		out.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(out, `{"value":[%s],"nextLink":%q}`, item, next)
	}
}

// services adds load balancers, scale sets and function apps to the estate.
func (w *world) services() {
	w.balancers()
	w.servers["VirtualMachineScaleSetsClient"] = computefake.NewVirtualMachineScaleSetsServerTransport(&computefake.VirtualMachineScaleSetsServer{
		NewListAllPager: func(*armcompute.VirtualMachineScaleSetsClientListAllOptions) (resp azfake.PagerResponder[armcompute.VirtualMachineScaleSetsClientListAllResponse]) {
			sets := []*armcompute.VirtualMachineScaleSet{
				{
					ID: id("Microsoft.Compute/virtualMachineScaleSets/workers"), Name: ptr("workers"), Location: ptr("westeurope"), SKU: &armcompute.SKU{Name: ptr("Standard_D2s_v5"), Capacity: ptr(int64(3))},
					Properties: &armcompute.VirtualMachineScaleSetProperties{TimeCreated: &born},
				},
				{
					ID: id("Microsoft.Compute/virtualMachineScaleSets/mixed"), Name: ptr("mixed"), Location: ptr("westeurope"), SKU: &armcompute.SKU{Name: ptr("Mix"), Capacity: ptr(int64(0))},
				},
			}
			for _, s := range sets {
				resp.AddPage(http.StatusOK, armcompute.VirtualMachineScaleSetsClientListAllResponse{}, nil)
				resp.AddPage(http.StatusOK, armcompute.VirtualMachineScaleSetsClientListAllResponse{VirtualMachineScaleSetListWithLinkResult: armcompute.VirtualMachineScaleSetListWithLinkResult{Value: []*armcompute.VirtualMachineScaleSet{s}}}, nil)
			}
			return resp
		},
	})
	path := "/subscriptions/" + portal + "/resourceGroups/RG-Portal/providers/Microsoft.Web/sites/"
	sites := []string{
		fmt.Sprintf(`{"id":%q,"name":"mailer","kind":"functionapp,linux","location":"West Europe","tags":{"team":"partners"},"properties":{"state":"Running","lastModifiedTimeUtc":"2026-05-01T10:00:00","siteConfig":{"linuxFxVersion":"PYTHON|3.11"}}}`, path+"mailer"),
		fmt.Sprintf(`{"id":%q,"name":"flex","kind":"functionapp,linux","location":"westeurope","properties":{"state":"Stopped","functionAppConfig":{"runtime":{"name":"node","version":"22"}}}}`, path+"flex"),
		fmt.Sprintf(`{"id":%q,"name":"shop","kind":"app","location":"West Europe","properties":{"state":"Running"}}`, path+"shop"),
	}
	for _, s := range []string{portal, erp} {
		w.pages("/subscriptions/"+s+"/providers/Microsoft.Web/sites", sites...)
	}
}

func (w *world) balancers() {
	front := func(public bool) []*armnetwork.FrontendIPConfiguration {
		p := &armnetwork.FrontendIPConfigurationPropertiesFormat{}
		if public {
			p.PublicIPAddress = &armnetwork.PublicIPAddress{ID: id("Microsoft.Network/publicIPAddresses/used")}
		}
		return []*armnetwork.FrontendIPConfiguration{{Properties: p}}
	}
	w.servers["LoadBalancersClient"] = networkfake.NewLoadBalancersServerTransport(&networkfake.LoadBalancersServer{
		NewListAllPager: func(*armnetwork.LoadBalancersClientListAllOptions) (resp azfake.PagerResponder[armnetwork.LoadBalancersClientListAllResponse]) {
			list := []*armnetwork.LoadBalancer{
				{
					ID: id("Microsoft.Network/loadBalancers/front"), Name: ptr("front"), Location: ptr("westeurope"), SKU: &armnetwork.LoadBalancerSKU{Name: ptr(armnetwork.LoadBalancerSKUNameStandard)},
					Properties: &armnetwork.LoadBalancerPropertiesFormat{FrontendIPConfigurations: front(true), BackendAddressPools: []*armnetwork.BackendAddressPool{
						{Properties: &armnetwork.BackendAddressPoolPropertiesFormat{
							BackendIPConfigurations:      []*armnetwork.InterfaceIPConfiguration{{ID: ptr("a")}, {ID: ptr("b")}},
							LoadBalancerBackendAddresses: []*armnetwork.LoadBalancerBackendAddress{{Name: ptr("a")}, {Name: ptr("b")}},
						}},
						{Properties: &armnetwork.BackendAddressPoolPropertiesFormat{LoadBalancerBackendAddresses: []*armnetwork.LoadBalancerBackendAddress{{Name: ptr("c")}}}},
					}},
				},
				{
					ID: id("Microsoft.Network/loadBalancers/idle"), Name: ptr("idle"), Location: ptr("westeurope"), SKU: &armnetwork.LoadBalancerSKU{Name: ptr(armnetwork.LoadBalancerSKUNameBasic)},
					Properties: &armnetwork.LoadBalancerPropertiesFormat{FrontendIPConfigurations: front(false), BackendAddressPools: []*armnetwork.BackendAddressPool{{}}},
				},
			}
			for _, b := range list {
				resp.AddPage(http.StatusOK, armnetwork.LoadBalancersClientListAllResponse{LoadBalancerListResult: armnetwork.LoadBalancerListResult{Value: []*armnetwork.LoadBalancer{b}}}, nil)
			}
			return resp
		},
	})
	gateways := networkfake.NewApplicationGatewaysServerTransport(&networkfake.ApplicationGatewaysServer{
		NewListAllPager: func(*armnetwork.ApplicationGatewaysClientListAllOptions) (resp azfake.PagerResponder[armnetwork.ApplicationGatewaysClientListAllResponse]) {
			resp.AddPage(http.StatusOK, armnetwork.ApplicationGatewaysClientListAllResponse{}, nil)
			resp.AddPage(http.StatusOK, armnetwork.ApplicationGatewaysClientListAllResponse{ApplicationGatewayListResult: armnetwork.ApplicationGatewayListResult{Value: []*armnetwork.ApplicationGateway{{
				ID: id("Microsoft.Network/applicationGateways/web"), Name: ptr("web"), Location: ptr("westeurope"), Tags: map[string]*string{"team": ptr("partners")},
				Properties: &armnetwork.ApplicationGatewayPropertiesFormat{
					SKU: &armnetwork.ApplicationGatewaySKU{Name: ptr(armnetwork.ApplicationGatewaySKUNameWAFV2)}, OperationalState: ptr(armnetwork.ApplicationGatewayOperationalStateRunning),
					FrontendIPConfigurations: []*armnetwork.ApplicationGatewayFrontendIPConfiguration{{Properties: &armnetwork.ApplicationGatewayFrontendIPConfigurationPropertiesFormat{PublicIPAddress: &armnetwork.SubResource{ID: ptr("x")}}}},
					BackendAddressPools:      []*armnetwork.ApplicationGatewayBackendAddressPool{{Properties: &armnetwork.ApplicationGatewayBackendAddressPoolPropertiesFormat{BackendAddresses: []*armnetwork.ApplicationGatewayBackendAddress{{Fqdn: ptr("shop.example")}}}}},
				},
			}}}}, nil)
			return resp
		},
	})
	w.servers["ApplicationGatewaysClient"] = gateways
}
