package recommend

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/resource"
)

func TestSpotAndWindowsPricesAreNotTheUsualOne(t *testing.T) {
	t.Parallel()
	price := func(variant, usd string) resource.Price {
		return resource.Price{Cloud: resource.AWS, Region: "eu-west-1", Type: resource.Instance, Size: "m5.large", Unit: perHour, Variant: variant, Amount: decimal.RequireFromString(usd), Currency: "USD"}
	}
	book := newPriceBook(resource.AWS, []resource.Price{price("", "0.107"), price(resource.SpotPrice, "0.05"), price(resource.WindowsPrice, "0.199")})
	if p, ok := book.find("eu-west-1", resource.Instance, "m5.large", perHour); !ok || p.Amount.String() != "0.107" {
		t.Errorf("%+v", p)
	}
	for machine, want := range map[[2]string]string{
		{"linux"}: "0.107", {}: "0.107", {"windows"}: "0.199", {"Windows 2022 Standard"}: "0.199", {"windows", resource.OwnLicence}: "0.107", {"windows", "unheard of"}: "0.199",
	} {
		s, ok := book.sizeOf("eu-west-1", "m5.large", variantOf(map[string]string{resource.AttrOS: machine[0], resource.AttrLicence: machine[1]}), nil)
		if !ok || s.price.Amount.String() != want {
			t.Errorf("%q costs %s, want %s", machine, s.price.Amount, want)
		}
	}
	for _, system := range []string{"linux", "windows"} {
		if s, ok := book.sizeOf("eu-west-1", "m5.large", variantOf(map[string]string{resource.AttrOS: system, resource.AttrLicence: resource.SQLServerLicence}), nil); ok {
			t.Errorf("%s with SQL Server costs %s, which nobody listed", system, s.price.Amount)
		}
	}
}
