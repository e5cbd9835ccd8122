package collection_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// amazon plays the APIs of AWS for accounts that have a bill and nothing else.
type amazon struct{ *bills }

func (amazon) settings(number int) (settings map[string]string, secret string) {
	return map[string]string{"role_arn": fmt.Sprintf("arn:aws:iam::%012d:role/CostAgent", number), "regions": "us-east-1",
		"price_list": "off", "commitments": "off", "advice": "off"}, ""
}

const (
	explorerPage = 1000
	assumed      = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ACCOUNT%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
	oneRegion    = `<DescribeRegionsResponse><regionInfo><item><regionName>us-east-1</regionName><optInStatus>opt-in-not-required</optInStatus></item></regionInfo></DescribeRegionsResponse>`
)

func (a amazon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := read(r)
	form, _ := url.ParseQuery(string(body)) // other bodies have no Action
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch action := form.Get("Action"); {
	case action == "AssumeRole":
		number, err := strconv.Atoi(strings.Split(form.Get("RoleArn"), ":")[4])
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, assumed, number)
	case action == "DescribeRegions":
		fmt.Fprint(w, oneRegion)
	case action != "":
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult></%[1]sResult></%[1]sResponse>", action)
	case operation == "GetCostAndUsage":
		a.explore(w, r, body)
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprint(w, "{}")
	}
}

type interval struct{ Start, End string }

// explore is Cost Explorer: by month, what the account is billed for; by day, the charges of one record type. The last row of a month
// is its tax.
func (a amazon) explore(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct {
		Granularity   string
		TimePeriod    interval
		NextPageToken string
		Filter        struct{ Dimensions struct{ Values []string } }
	}
	number, known := between(r.Header.Get("Authorization"), "Credential=ACCOUNT", "/")
	if json.Unmarshal(body, &in) != nil || !known {
		http.Error(w, "not what Cost Explorer is asked", http.StatusBadRequest)
		return
	}
	month, err := time.Parse(time.DateOnly, in.TimePeriod.Start)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	type object = map[string]any
	group := func(amount string, keys ...string) object {
		money := object{"Amount": amount, "Unit": "USD"}
		return object{"Keys": keys, "Metrics": object{"UnblendedCost": money, "AmortizedCost": money}}
	}
	out := object{"DimensionValueAttributes": []object{}, "GroupDefinitions": []object{}}
	if in.Granularity == "MONTHLY" {
		id := fmt.Sprintf("%012d", number)
		out["ResultsByTime"] = []object{{"TimePeriod": in.TimePeriod, "Estimated": false, "Total": object{}, "Groups": []object{group("1", "Usage", id), group("1", "Tax", id)}}}
		reply(w, out)
		return
	}
	first, last := 0, a.rows-1
	if in.Filter.Dimensions.Values[0] == "Tax" {
		first, last = a.rows-1, a.rows
	}
	if in.NextPageToken != "" {
		if first, err = strconv.Atoi(in.NextPageToken); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	to, more := page(first, explorerPage, last)
	if more {
		out["NextPageToken"] = strconv.Itoa(to)
	}
	var days []object
	perDay := (a.rows + a.days(month) - 1) / a.days(month)
	for n := first; n < to; {
		period, until := cost.Days(month.AddDate(0, 0, n/perDay), 1), min((n/perDay+1)*perDay, to)
		var groups []object
		for ; n < until; n++ {
			groups = append(groups, group(a.amount(number, month, n).String(), "Service "+strconv.Itoa(n%perDay/2), []string{"us-east-1", "eu-west-1"}[n%perDay%2]))
		}
		days = append(days, object{"TimePeriod": interval{period.Start.Format(time.DateOnly), period.End.Format(time.DateOnly)}, "Estimated": false, "Total": object{}, "Groups": groups})
	}
	out["ResultsByTime"] = days
	reply(w, out)
}
