package azure_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// priceItem is one line of the list as Azure writes it.
func priceItem(price, product, sku, meter, arm, unit, from string) string {
	return fmt.Sprintf(`{"currencyCode":"USD","tierMinimumUnits":0.0,"retailPrice":%s,"unitPrice":%s,"armRegionName":"westeurope","location":"EU West","effectiveStartDate":"%s",
		"productName":%q,"skuName":%q,"meterName":%q,"armSkuName":%q,"unitOfMeasure":%q,"type":"Consumption","isPrimaryMeterRegion":true}`, price, price, from, product, sku, meter, arm, unit)
}

const past, later = "2024-01-01T00:00:00Z", "2027-01-01T00:00:00Z"

var priceList = map[string][]string{
	"Virtual Machines": {
		priceItem("0.1150000000001", "Virtual Machines Dsv5 Series", "D2s v5", "D2s v5", "Standard_D2s_v5", "1 Hour", past),
		priceItem("0.2", "Virtual Machines Dsv5 Series", "D2s v5", "D2s v5", "Standard_D2s_v5", "1 Hour", "2020-01-01T00:00:00Z"),
		priceItem("0.09", "Virtual Machines Dsv5 Series", "D2s v5", "D2s v5", "Standard_D2s_v5", "1 Hour", later),
		priceItem("0.02", "Virtual Machines Dsv5 Series", "D2s v5 Spot", "D2s v5 Spot", "Standard_D2s_v5", "1 Hour", past),
		priceItem("0.023", "Virtual Machines Dsv5 Series", "D2s v5 Low Priority", "D2s v5 Low Priority", "Standard_D2s_v5", "1 Hour", past),
		priceItem("0.207", "Virtual Machines Dsv5 Series Windows", "D2s v5", "D2s v5", "Standard_D2s_v5", "1 Hour", past),
		priceItem("0.041", "Virtual Machines Dsv5 Series Windows", "D2s v5 Spot", "D2s v5 Spot", "Standard_D2s_v5", "1 Hour", past),
		priceItem("0.101", "Virtual Machines Dsv5 Series Cloud Services", "D2s v5", "D2s v5", "Standard_D2s_v5", "1 Hour", past),
		priceItem("0", "Virtual Machines Free", "B1s", "B1s", "Standard_B1s", "1 Hour", past),
	},
	"Storage": {
		priceItem("21.68", "Premium SSD Managed Disks", "P10 LRS", "P10 LRS Disk", "", "1/Month", past),
		priceItem("148.68", "Premium SSD Managed Disks", "P30 LRS", "P30 LRS Disk", "", "1/Month", past),
		priceItem("0.05", "Premium SSD Managed Disks", "P10 LRS", "P10 LRS Disk Mount", "", "1/Month", past),
		priceItem("0.05", "Standard HDD Managed Disks", "Snapshots LRS", "LRS Snapshots", "", "1 GB/Month", past),
	},
	"SQL Database":    {priceItem("0.6", "SQL Database Single/Elastic Pool General Purpose - Compute Gen5", "4 vCore", "vCore", "SQLDB_GP_Compute_Gen5_4", "1 Hour", past)},
	"Virtual Network": {priceItem("0.005", "IP Addresses", "Standard", "Standard IPv4 Static Public IP", "", "1 Hour", past)},
}

// prices makes the world have the price list, one price a page.
func (w *world) prices(link func(next string) string) {
	w.paths["/prices"] = func(out http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			w.t.Error("the public price list was sent a token")
		}
		filter := r.URL.Query().Get("$filter")
		var list []string
		for name, items := range priceList {
			if strings.Contains(filter, "serviceName eq '"+name+"'") && strings.Contains(filter, "armRegionName eq 'westeurope'") {
				list = items
			}
		}
		page := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("$skip"), &page)
		if page >= len(list) {
			fmt.Fprint(out, `{"Items":[],"NextPageLink":null,"Count":0}`)
			return
		}
		q := r.URL.Query()
		q.Set("$skip", strconv.Itoa(page+1))
		fmt.Fprintf(out, `{"Items":[%s],"NextPageLink":%q,"Count":1}`, list[page], link(w.link("/prices?"+q.Encode())))
	}
}

func TestPricesAreThoseOfPayAsYouGoNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.estate()
	w.prices(func(next string) string { return next })
	got, err := w.open("s", nil).Prices(t.Context(), []string{"westeurope"})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range got {
		lines = append(lines, fmt.Sprintf("%s %s %s %s %s %s %s%s", p.Type, p.Size, p.Variant, p.Amount, p.Currency, p.Unit, p.Attributes[resource.AttrVCPU], p.Attributes[resource.AttrMemoryGiB]))
	}
	slices.Sort(lines)
	want := []string{
		"address Standard  0.005 USD hour ", "database GP_Gen5_4  0.6 USD hour ", "instance Standard_D2s_v5  0.1150000000001 USD hour 28",
		"instance Standard_D2s_v5 spot 0.02 USD hour 28", "instance Standard_D2s_v5 windows 0.207 USD hour 28",
		"snapshot Standard_LRS  0.05 USD GiB-month ", "volume Premium_LRS  0.1451953125 USD GiB-month ",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if got, err := w.open("s", nil).Prices(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("no regions: %v %v", got, err)
	}
}

func TestPriceListsThatGoAstrayEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		link func(string) string
		want fault.Code
	}{
		"in a circle":     {func(next string) string { return strings.SplitN(next, "?", 2)[0] + "?x=1" }, fault.Unavailable},
		"to another host": {func(string) string { return "https://elsewhere.example/prices" }, fault.Unprocessable},
		"to another port": {func(next string) string { return strings.Replace(next, ":443", ":8443", 1) }, fault.Unprocessable},
		"in the clear":    {func(next string) string { return strings.Replace(next, "https", "http", 1) }, fault.Unprocessable},
	} {
		w := newWorld(t)
		w.subscriptions(portal)
		w.estate()
		w.prices(c.link)
		inner := w.paths["/prices"]
		w.paths["/prices"] = func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("x") != "" {
				fmt.Fprintf(out, `{"Items":[],"NextPageLink":%q}`, w.link("/prices?x=1"))
				return
			}
			inner(out, r)
		}
		if _, err := w.open("s", nil).Prices(t.Context(), []string{"westeurope"}); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
