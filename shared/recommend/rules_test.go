package recommend_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
)

var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func amount(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func dollars(s string) cost.Money {
	return cost.Money{Amount: amount(s), Currency: "USD", Basis: cost.Effective}
}

// scene is a connection with one resource that everything is known of; cases change it.
type scene struct {
	recommend.Facts
}

func (s *scene) only() *recommend.Observed { return &s.Resources[0] }

func (s *scene) use(m resource.Metric, p99 float64, days int) {
	id := s.only().ID
	if s.Usage[id] == nil {
		s.Usage[id] = map[resource.Metric]recommend.Stats{}
	}
	s.Usage[id][m] = recommend.Stats{P50: p99 / 2, P95: p99 * 0.9, P99: p99, Max: p99, Days: days, Hours: float64(24 * days)}
}

func (s *scene) unprice(size string) {
	var left []resource.Price
	for _, p := range s.Prices {
		if p.Size != size {
			left = append(left, p)
		}
	}
	s.Prices = left
}

func (s *scene) bill(monthly string, uptime float64, hourly bool) {
	r := recommend.Rate{Monthly: dollars(monthly), Days: 28}
	if hourly {
		m := dollars(monthly)
		r.Hourly, r.Uptime = &m, &uptime
	}
	s.Rates[s.only().ID] = r
}

func newScene(cloud resource.Cloud, r recommend.Observed) *scene {
	r.Cloud, r.Account, r.Region, r.Name = cloud, "111122223333", "us-east-1", "one"
	if r.Tags == nil {
		r.Tags = map[string]string{"application": "shop", "environment": "development"}
	}
	price := func(typ resource.Type, size, unit, usd string, attributes map[string]string) resource.Price {
		return resource.Price{Cloud: cloud, Region: "us-east-1", Type: typ, Size: size, Unit: unit, Amount: amount(usd), Currency: "USD", Attributes: attributes}
	}
	of := func(vcpu, memory string) map[string]string {
		return map[string]string{resource.AttrVCPU: vcpu, resource.AttrMemoryGiB: memory}
	}
	return &scene{recommend.Facts{
		Connection: "main", Cloud: cloud, Now: now, Resources: []recommend.Observed{r},
		Usage: map[string]map[resource.Metric]recommend.Stats{}, Rates: map[string]recommend.Rate{},
		Prices: []resource.Price{
			price(resource.Instance, "m5.large", "hour", "0.096", of("2", "8")),
			price(resource.Instance, "m5.xlarge", "hour", "0.192", of("4", "16")),
			price(resource.Instance, "m5.2xlarge", "hour", "0.384", of("8", "32")),
			price(resource.Instance, "c5.large", "hour", "0.085", of("2", "4")),
			price(resource.Volume, "gp2", "GiB-month", "0.10", nil),
			price(resource.Volume, "gp3", "GiB-month", "0.08", nil),
			price(resource.Volume, "gp3", "IOPS-month", "0.005", nil),
			price(resource.Volume, "gp3", "MiBps-month", "0.04", nil),
			price(resource.Volume, "Premium_LRS", "GiB-month", "0.12", nil),
			price(resource.Volume, "StandardSSD_LRS", "GiB-month", "0.075", nil),
			price(resource.Volume, "pd-ssd", "GiB-month", "0.17", nil),
			price(resource.Volume, "pd-balanced", "GiB-month", "0.10", nil),
			price(resource.Snapshot, "standard", "GiB-month", "0.05", nil),
		},
	}}
}

func instance() *scene {
	s := newScene(resource.AWS, recommend.Observed{Resource: resource.Resource{
		Ref: resource.Ref{Type: resource.Instance, ID: "i-1"}, Attributes: map[string]string{
			resource.AttrState: "running", resource.AttrSize: "m5.2xlarge", resource.AttrVCPU: "8", resource.AttrMemoryGiB: "32", resource.AttrOS: "linux"}}})
	s.use(resource.CPU, 17, 30)
	s.use(resource.Memory, 15, 30)
	s.bill("280.32", 1, true)
	return s
}

// windows makes the instance one, and gives m5.xlarge and m5.2xlarge prices with the licence.
func (s *scene) windows(usd ...string) {
	s.only().Attributes[resource.AttrOS] = "windows"
	for i, price := range usd {
		p := s.Prices[1+i]
		p.Variant, p.Amount = resource.WindowsPrice, amount(price)
		s.Prices = append(s.Prices, p)
	}
}

func volume(cloud resource.Cloud, kind, gib string) *scene {
	s := newScene(cloud, recommend.Observed{Resource: resource.Resource{
		Ref: resource.Ref{Type: resource.Volume, ID: "vol-1"}, Attributes: map[string]string{
			resource.AttrState: "in-use", resource.AttrVolumeType: kind, resource.AttrGiB: gib, resource.AttrAttachedTo: "i-1"}}})
	s.use(resource.DiskOps, 400, 30)
	s.use(resource.DiskBytes, 20, 30)
	return s
}

func free() *scene {
	s := newScene(resource.AWS, recommend.Observed{Resource: resource.Resource{
		Ref: resource.Ref{Type: resource.Volume, ID: "vol-1"}, Attributes: map[string]string{
			resource.AttrState: "available", resource.AttrVolumeType: "gp3", resource.AttrGiB: "1000", resource.AttrAttachedTo: "",
			resource.AttrDetachedAt: now.AddDate(0, 0, -60).Format(time.RFC3339)}}})
	s.bill("80", 0, false)
	return s
}

type ruleCase struct {
	scene  *scene
	change func(*scene)
	saving string // a month; empty: rejected
	after  map[string]string
	reason string // part of why it is rejected; empty with no saving: not even considered
}

func (c ruleCase) run(t *testing.T, rule string) {
	t.Helper()
	if c.change != nil {
		c.change(c.scene)
	}
	got := recommend.Generate(c.scene.Facts, recommend.Options{Rules: []string{rule}})
	if c.saving == "" {
		c.refused(t, got)
		return
	}
	if len(got.Recommendations) != 1 {
		t.Fatalf("got %d recommendations, want one; rejected: %v", len(got.Recommendations), got.Rejected)
	}
	rec := got.Recommendations[0]
	if !rec.Saving.Monthly.Amount.Equal(amount(c.saving)) {
		t.Errorf("saves %s a month, want %s", rec.Saving.Monthly, c.saving)
	}
	for name, want := range c.after {
		if have := rec.Plan.Targets[0].After[name]; have != want {
			t.Errorf("%s is to become %q, want %q", name, have, want)
		}
	}
	if rec.PlanHash != rec.Plan.Hash() || rec.Score.Total <= 0 || rec.Score.Total > 100 || len(rec.Score.Factors) != 4 {
		t.Errorf("hash %s or score %+v is wrong", rec.PlanHash, rec.Score)
	}
}

func (c ruleCase) refused(t *testing.T, got recommend.Result) {
	t.Helper()
	if len(got.Recommendations) != 0 {
		t.Fatalf("got %q, want none", got.Recommendations[0].Title)
	}
	if c.reason == "" {
		if len(got.Rejected) != 0 {
			t.Errorf("rejected with %q, want it not considered", got.Rejected[0].Reason)
		}
		return
	}
	if len(got.Rejected) != 1 || !strings.Contains(got.Rejected[0].Reason, c.reason) {
		t.Errorf("rejected: %v, want a reason with %q", got.Rejected, c.reason)
	}
}

func TestRightSize(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]ruleCase{
		"two sizes down where both fit":             {scene: instance(), saving: "210.24", after: map[string]string{"size": "m5.large", "state": "running"}},
		"one size where two are too few processors": {scene: instance(), change: func(s *scene) { s.use(resource.CPU, 21, 30) }, saving: "140.16", after: map[string]string{"size": "m5.xlarge"}},
		"one size where two have too little memory": {scene: instance(), change: func(s *scene) { s.use(resource.Memory, 27, 30) }, saving: "140.16", after: map[string]string{"size": "m5.xlarge"}},
		"exactly 80 percent is allowed":             {scene: instance(), change: func(s *scene) { s.use(resource.CPU, 20, 30) }, saving: "210.24"},
		"one size where memory is not known":        {scene: instance(), change: func(s *scene) { delete(s.Usage["i-1"], resource.Memory) }, saving: "140.16", after: map[string]string{"size": "m5.xlarge"}},
		"the rate of the bill, not the list":        {scene: instance(), change: func(s *scene) { s.bill("200", 1, true) }, saving: "150"},
		"the list where the bill does not show it":  {scene: instance(), change: func(s *scene) { clear(s.Rates) }, saving: "210.24"},
		"free on the bill":                          {scene: instance(), change: func(s *scene) { s.bill("0", 1, true) }, reason: "save nothing"},
		"memory-bound":                              {scene: instance(), change: func(s *scene) { s.use(resource.Memory, 85, 30) }, reason: "memory use would reach 170 %"},
		"busy":                                      {scene: instance(), change: func(s *scene) { s.use(resource.CPU, 60, 30) }, reason: "processor load would reach 120 %"},
		"observed too short":                        {scene: instance(), change: func(s *scene) { s.use(resource.CPU, 10, 13) }, reason: "13 days only"},
		"use unknown":                               {scene: instance(), change: func(s *scene) { clear(s.Usage) }, reason: "load is not known"},
		"stopped":                                   {scene: instance(), change: func(s *scene) { s.only().Attributes["state"] = "stopped" }, reason: "stopped"},
		"scheduled, by the bill":                    {scene: instance(), change: func(s *scene) { s.bill("100", 0.36, true) }, reason: "36 % of the time"},
		"protected":                                 {scene: instance(), change: func(s *scene) { s.only().Tags["cost-agent:protected"] = "true" }, reason: "cost-agent:protected"},
		"protection switched off":                   {scene: instance(), change: func(s *scene) { s.only().Tags["cost-agent:protected"] = "false" }, saving: "210.24"},
		"unknown price of its own size":             {scene: instance(), change: func(s *scene) { s.unprice("m5.2xlarge") }, reason: "price of its size"},
		"unknown prices of smaller sizes":           {scene: instance(), change: func(s *scene) { s.unprice("m5.large"); s.unprice("m5.xlarge") }, reason: "No smaller size"},
		"unknown price of the middle size only":     {scene: instance(), change: func(s *scene) { s.unprice("m5.xlarge") }, saving: "210.24", after: map[string]string{"size": "m5.large"}},
		"Windows with its licence":                  {scene: instance(), change: func(s *scene) { s.windows("0.5", "0.8") }, saving: "105.12", after: map[string]string{"size": "m5.xlarge"}},
		"Windows without a price of its own":        {scene: instance(), change: func(s *scene) { s.windows() }, reason: `"m5.2xlarge" with windows`},
		"a price of zero is unknown":                {scene: instance(), change: func(s *scene) { s.Prices[0].Amount, s.Prices[1].Amount = decimal.Zero, decimal.Zero }, reason: "No smaller size"},
		"another family is no step down":            {scene: instance(), change: func(s *scene) { s.only().Attributes["size"] = "c5.large"; s.only().Attributes["vcpu"] = "2" }, reason: "No smaller size"},
		"a saving below the minimum":                {scene: instance(), change: func(s *scene) { s.bill("6", 1, true) }, reason: "minimum of 5.00"},
		"Vultr":                                     {scene: func() *scene { s := instance(); s.Cloud, s.only().Cloud = resource.Vultr, resource.Vultr; return s }(), reason: "Vultr cannot make an instance smaller"},
		"a volume is none of its business":          {scene: free()},
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); tt.run(t, "right-size") })
	}
}

func TestIdleVolume(t *testing.T) {
	t.Parallel()
	undated := func(s *scene) { delete(s.only().Attributes, resource.AttrDetachedAt) }
	for name, tt := range map[string]ruleCase{
		"the snapshot is taken off": {scene: free(), saving: "30", after: map[string]string{"state": "archived", "gib": "1000"}},
		"list price without a bill": {scene: free(), change: func(s *scene) { clear(s.Rates) }, saving: "30"},
		"detached too recently": {scene: free(), change: func(s *scene) {
			s.only().Attributes[resource.AttrDetachedAt] = now.AddDate(0, 0, -13).Format(time.RFC3339)
		}, reason: "13 days ago"},
		"detached just long enough": {scene: free(), change: func(s *scene) {
			s.only().Attributes[resource.AttrDetachedAt] = now.AddDate(0, 0, -14).Format(time.RFC3339)
		}, saving: "30"},
		"attached":                     {scene: volume(resource.AWS, "gp3", "1000")},
		"protected":                    {scene: free(), change: func(s *scene) { s.only().Tags["cost-agent:protected"] = "yes" }, reason: "cost-agent:protected"},
		"unknown price of snapshots":   {scene: free(), change: func(s *scene) { s.unprice("standard") }, reason: "price of snapshots"},
		"neither billed nor priced":    {scene: free(), change: func(s *scene) { clear(s.Rates); s.unprice("gp3") }, reason: "price of gp3"},
		"free on the bill":             {scene: free(), change: func(s *scene) { s.bill("0", 0, false) }, reason: "save nothing"},
		"a snapshot that costs more":   {scene: free(), change: func(s *scene) { s.bill("40", 0, false) }, reason: "save nothing"},
		"bill in another currency":     {scene: free(), change: func(s *scene) { r := s.Rates["vol-1"]; r.Monthly.Currency = "EUR"; s.Rates["vol-1"] = r }, reason: "different currencies"},
		"undated and never seen":       {scene: free(), change: undated, reason: "Nobody knows"},
		"undated and seen a week":      {scene: free(), change: func(s *scene) { undated(s); s.only().SeenUnchanged = now.AddDate(0, 0, -7) }, reason: "7 days only"},
		"undated and seen a month":     {scene: free(), change: func(s *scene) { undated(s); s.only().SeenUnchanged = now.AddDate(0, 0, -30) }, saving: "30"},
		"undated and without a use":    {scene: free(), change: func(s *scene) { undated(s); s.use(resource.DiskOps, 0, 30) }, saving: "30"},
		"undated and read last week":   {scene: free(), change: func(s *scene) { undated(s); s.use(resource.DiskOps, 3, 30) }, reason: "read or written"},
		"an instance is not its topic": {scene: instance()},
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); tt.run(t, "idle-volume") })
	}
}

func TestVolumeType(t *testing.T) {
	t.Parallel()
	gp3 := func(iops, mibps string) map[string]string {
		return map[string]string{"volume_type": "gp3", "iops": iops, "throughput_mibps": mibps}
	}
	for name, tt := range map[string]ruleCase{
		"gp2 with little use":               {scene: volume(resource.AWS, "gp2", "500"), saving: "10", after: gp3("3000", "125")},
		"throughput not measured":           {scene: volume(resource.AWS, "gp2", "500"), change: func(s *scene) { delete(s.Usage["vol-1"], resource.DiskBytes) }, saving: "5", after: gp3("3000", "250")},
		"more IOPS are bought":              {scene: volume(resource.AWS, "gp2", "2000"), change: func(s *scene) { s.use(resource.DiskOps, 4000, 30) }, saving: "30", after: gp3("5000", "125")},
		"never more than gp2 itself can do": {scene: volume(resource.AWS, "gp2", "2000"), change: func(s *scene) { s.use(resource.DiskOps, 5900, 30) }, saving: "25", after: gp3("6000", "125")},
		"a peak above the percentile counts": {scene: volume(resource.AWS, "gp2", "2000"), change: func(s *scene) {
			u := s.Usage["vol-1"][resource.DiskOps]
			u.Max = 3600
			s.Usage["vol-1"][resource.DiskOps] = u
		}, saving: "37", after: gp3("3600", "125")},
		"hot, so that gp3 is not cheaper":  {scene: volume(resource.AWS, "gp2", "600"), change: func(s *scene) { s.only().Attributes["iops"] = "6000"; s.use(resource.DiskOps, 5500, 30) }, reason: "not less than"},
		"a share of what is billed":        {scene: volume(resource.AWS, "gp2", "500"), change: func(s *scene) { s.bill("40", 0, false) }, saving: "8"},
		"unknown price of gp3":             {scene: volume(resource.AWS, "gp2", "500"), change: func(s *scene) { s.unprice("gp3") }, reason: "price of gp3"},
		"unknown price of gp2":             {scene: volume(resource.AWS, "gp2", "500"), change: func(s *scene) { s.unprice("gp2") }, reason: "price of gp2"},
		"use unknown":                      {scene: volume(resource.AWS, "gp2", "500"), change: func(s *scene) { clear(s.Usage) }, reason: "not known"},
		"observed too short":               {scene: volume(resource.AWS, "gp2", "500"), change: func(s *scene) { s.use(resource.DiskOps, 10, 3) }, reason: "3 days only"},
		"protected":                        {scene: volume(resource.AWS, "gp2", "500"), change: func(s *scene) { s.only().Tags["cost-agent:protected"] = "true" }, reason: "cost-agent:protected"},
		"gp3 already":                      {scene: volume(resource.AWS, "gp3", "500")},
		"Azure within the smaller limits":  {scene: volume(resource.Azure, "Premium_LRS", "1024"), saving: "46.08", after: map[string]string{"volume_type": "StandardSSD_LRS"}},
		"Azure beyond the smaller limits":  {scene: volume(resource.Azure, "Premium_LRS", "1024"), change: func(s *scene) { s.use(resource.DiskOps, 401, 30) }, reason: "at most 500 IOPS"},
		"Google within the smaller limits": {scene: volume(resource.GCP, "pd-ssd", "500"), saving: "35", after: map[string]string{"volume_type": "pd-balanced"}},
		"Google beyond the smaller limits": {scene: volume(resource.GCP, "pd-ssd", "500"), change: func(s *scene) { s.use(resource.DiskOps, 2500, 30) }, reason: "at most 3000 IOPS"},
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); tt.run(t, "volume-type") })
	}
}

func TestACommitmentIsDoubted(t *testing.T) {
	t.Parallel()
	s := instance()
	plain := recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0]
	r := s.Rates["i-1"]
	r.Committed = 0.4
	s.Rates["i-1"] = r
	covered := recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0]
	if len(covered.Warnings) != len(plain.Warnings)+1 || covered.Score.Factors[3].Points >= plain.Score.Factors[3].Points || !strings.Contains(covered.Score.Factors[3].Text, "covers 40 %") {
		t.Errorf("warnings %v, confidence %+v", covered.Warnings, covered.Score.Factors[3])
	}
}

func TestPerformanceIsWrittenOnlyWhereTheCloudShowsIt(t *testing.T) {
	t.Parallel()
	s := volume(resource.Azure, "Premium_LRS", "1024")
	plain := recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0].Plan.Targets[0]
	if _, ok := plain.After[resource.AttrIOPS]; ok {
		t.Errorf("the plan sets IOPS that the inventory does not tell: %v", plain.After)
	}
	s.only().Attributes[resource.AttrIOPS], s.only().Attributes[resource.AttrThroughput] = "5000", "200"
	shown := recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0].Plan.Targets[0]
	if shown.After[resource.AttrIOPS] != "500" || shown.After[resource.AttrThroughput] != "100" {
		t.Errorf("the plan should say what a standard disk shows: %v", shown.After)
	}
	if len(shown.Watch) != 1 || shown.Watch[0].ID != "i-1" {
		t.Errorf("the attached instance must be watched, not %v", shown.Watch)
	}
}
