package aws

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cost-agent/cost-agent/shared/cloud/cloudtest"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// world is AWS: moto behind a front that answers for Cost Explorer and the price list, and can be ill.
type world struct {
	moto   *httputil.ReverseProxy
	beside *wire // what moto does not have

	mu      sync.Mutex
	charges []cloudtest.Charge
	empty   bool // an empty page before every page
	half    bool // of every answer of Cost Explorer
	refuse  int  // so many calls of Cost Explorer, all when negative
	status  int
	code    string
	denied  map[string]bool // operations, with their service: "ec2.DescribeVolumes"
	hanging chan struct{}
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// ServeHTTP answers by the service that the request is signed for.
func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body := peek(r)
	w.mu.Lock()
	hanging := w.hanging
	w.mu.Unlock()
	if hanging != nil {
		hanging <- struct{}{}
		<-r.Context().Done()
		return
	}
	service := ""
	if scope := strings.Split(r.Header.Get("Authorization"), "/"); len(scope) > 3 {
		service = scope[3]
	}
	var in object
	_ = json.Unmarshal([]byte(body), &in)
	form, _ := url.ParseQuery(body)
	target := r.Header.Get("X-Amz-Target")
	operation := service + "." + cmp.Or(form.Get("Action"), target[strings.LastIndexByte(target, '.')+1:], strings.Trim(r.URL.Path, "/"))
	if w.isDenied(operation) {
		w.beside.write(out, service, refusal{http.StatusForbidden, "AccessDenied"})
		return
	}
	if _, ours := w.beside.answers[operation]; ours {
		w.beside.ServeHTTP(out, r)
		return
	}
	switch service {
	case "ce":
		w.explorer(out, in)
	case "pricing":
		priceList(out, in)
	default:
		w.moto.ServeHTTP(out, r)
	}
}

func (w *world) isDenied(operation string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.denied[operation]
}

// explorer answers GetCostAndUsage: each charge is a service of its own.
func (w *world) explorer(out http.ResponseWriter, in object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if w.refuse != 0 {
		w.refuse--
		refuse(w.status, w.code)(out, in)
		return
	}
	var groups []object
	filter, _ := json.Marshal(in["Filter"])
	for i, c := range w.charges {
		kind := map[bool]string{true: "Credit", false: "Usage"}[c.Credit]
		keys := []string{kind, main}
		if in["Granularity"] == "DAILY" {
			keys = []string{"Service " + strconv.Itoa(i), "eu-west-1"}
		}
		if in["Granularity"] != "DAILY" || strings.Contains(string(filter), `"`+kind+`"`) {
			groups = append(groups, charge(keys, c.Amount.String(), c.Amount.String()))
		}
	}
	text, _ := json.Marshal(w.page(groups, in["NextPageToken"]))
	if w.half {
		text = text[:len(text)/2]
	}
	_, _ = out.Write(text)
}

// page cuts one page out of the groups. A token is the number of the next one, with a minus where an empty page has been.
func (w *world) page(groups []object, token any) object {
	text, _ := token.(string)
	from, _ := strconv.Atoi(strings.TrimPrefix(text, "-"))
	if w.empty && !strings.HasPrefix(text, "-") {
		return page("-"+strconv.Itoa(from), span("2026-10-05", "2026-10-06", false))
	}
	to, next := min(from+cloudtest.PageSize, len(groups)), ""
	if to < len(groups) {
		next = strconv.Itoa(to)
	}
	return page(next, span("2026-10-05", "2026-10-06", false, groups[from:to]...))
}

func TestCollectorConforms(t *testing.T) {
	s := moto(t)
	c := collector(t, s.url, nil, nil)
	e := build(t, c.account, "us-east-1")
	must[*cloudwatch.PutMetricDataOutput](t)(newCloudWatch(seeding(c.account.in("us-east-1"))).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/EC2"),
		MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("CPUUtilization"), Timestamp: aws.Time(noon.Add(-90 * time.Minute)), Value: aws.Float64(7),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("InstanceId"), Value: &e.instance}}}}}))
	cloudtest.Run(t, cloudtest.Subject{Cloud: resource.AWS, Month: november.AddDate(0, -1, 0), New: func(t *testing.T) cloudtest.World {
		t.Helper()
		w := &world{moto: proxyTo(t, s.url), beside: besideMoto(t), charges: cloudtest.Charges(3), denied: map[string]bool{}}
		front := httptest.NewServer(w)
		t.Cleanup(front.Close)
		return w.conforming(t, front.URL, e)
	}})
}

// besideMoto are commitments and advice.
func besideMoto(t *testing.T) *wire {
	t.Helper()
	all := committed(t)
	delete(all.answers, "ec2.DescribeRegions")
	for _, operation := range []string{"ec2.DescribeReservedInstances", "rds.DescribeReservedDBInstances"} {
		inEurope := all.answers[operation]
		all.answers[operation] = func(in object, _ string) any { return inEurope(in, "eu-west-1") } // in whatever region is read
	}
	maps.Copy(all.answers, advising(t).answers)
	all.asked = map[string]int{}
	return all
}

func (w *world) conforming(t *testing.T, address string, e estate) cloudtest.World {
	t.Helper()
	codes := map[int]string{401: "UnrecognizedClientException", 403: "AccessDeniedException", 500: "InternalFailure", 503: "ServiceUnavailable"}
	usage := ingest.UsageQuery{Refs: []resource.Ref{{Cloud: resource.AWS, Account: main, Region: "us-east-1", Type: resource.Instance, ID: e.instance}},
		Metrics: []resource.Metric{resource.CPU}, Every: time.Hour, Period: cost.Period{Start: noon.Add(-6 * time.Hour), End: noon}}
	return cloudtest.World{
		Collector:  collector(t, address, nil, map[string]string{"regions": "us-east-1"}),
		Bill:       func(charges []cloudtest.Charge) { w.set(func() { w.charges = charges }) },
		EmptyPages: func() { w.set(func() { w.empty = true }) },
		Throttle:   func(n int) { w.set(func() { w.refuse, w.status, w.code = n, 400, "LimitExceededException" }) },
		Fail:       func(n, status int) { w.set(func() { w.refuse, w.status, w.code = n, status, codes[status] }) },
		Half:       func() { w.set(func() { w.half = true }) },
		Deny: func() (string, string) {
			w.set(func() { w.denied["ec2.DescribeVolumes"] = true })
			return "us-east-1", "ec2"
		},
		Revoke: func() string {
			w.set(func() { w.denied["rds.DescribeDBInstances"] = true })
			return "rds:DescribeDBInstances"
		},
		Hang: func() <-chan struct{} {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.hanging == nil {
				w.hanging = make(chan struct{}, 100)
			}
			return w.hanging
		},
		Usage: &usage, Regions: []string{"eu-west-1"}, Committed: &usedDays, Advises: true,
		DenyUsage:       func() { w.set(func() { w.denied["monitoring.GetMetricData"] = true }) },
		DenyCommitments: func() { w.set(func() { w.denied["savingsplans.DescribeSavingsPlans"] = true }) },
		DenyAdvice:      func() { w.set(func() { w.denied["cost-optimization-hub.ListRecommendations"] = true }) },
	}
}
