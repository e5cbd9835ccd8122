package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// moto starts a moto server, which plays AWS, and leads the standard environment to it.
func moto(t *testing.T) (url string) {
	t.Helper()
	program, err := filepath.Abs("../.local/python/bin/moto_server")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		if program, err = exec.LookPath("moto_server"); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal("no moto server: run make python first")
			}
			t.Skip("no moto server, so nothing plays AWS here; make python installs it")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	host, port, err := net.SplitHostPort(address)
	if err != nil || l.Close() != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "-H", host, "-p", port)
	server.Dir = t.TempDir()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	url = "http://" + address
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_SESSION_TOKEN": "",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	for range 300 {
		if answer, err := http.Get(url + "/moto-api/data.json"); err == nil {
			_ = answer.Body.Close()
			return url
		}
		time.Sleep(100 * time.Millisecond) // it is another process
	}
	t.Fatal("the moto server did not come up")
	return ""
}

// furnish puts two instances, a volume and a bucket into the account, and the bill of the running month.
func furnish(t *testing.T, url string, month cost.Period) {
	t.Helper()
	config, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	machines := ec2.NewFromConfig(config)
	images, err := machines.DescribeImages(t.Context(), &ec2.DescribeImagesInput{})
	if err != nil || len(images.Images) == 0 {
		t.Fatalf("%v, %d images", err, len(images.Images))
	}
	if _, err := machines.RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: images.Images[0].ImageId, InstanceType: types.InstanceTypeM5Large, MinCount: aws.Int32(2), MaxCount: aws.Int32(2)}); err != nil {
		t.Fatal(err)
	}
	if _, err := machines.CreateVolume(t.Context(), &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(100), VolumeType: types.VolumeTypeGp2}); err != nil {
		t.Fatal(err)
	}
	if _, err := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("reports")}); err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	charge := func(amount string, keys ...string) object {
		money := object{"Amount": amount, "Unit": "USD"}
		return object{"Keys": keys, "Metrics": object{"UnblendedCost": money, "AmortizedCost": money}}
	}
	page := func(groups ...object) object {
		day := object{"Start": month.Start.Format(time.DateOnly), "End": month.Start.AddDate(0, 0, 1).Format(time.DateOnly)}
		return object{"ResultsByTime": []object{{"TimePeriod": day, "Estimated": false, "Groups": groups, "Total": object{}}}, "DimensionValueAttributes": []object{}}
	}
	body, err := json.Marshal(object{"results": []object{
		page(charge("12.5", "Usage", "123456789012")),
		page(charge("10.25", "Amazon Elastic Compute Cloud - Compute", "us-east-1"), charge("2.25", "Amazon Simple Storage Service", "us-east-1")),
	}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(url+"/moto-api/static/ce/cost-and-usage-results", "application/json", bytes.NewReader(body))
	if err != nil || answer.Body.Close() != nil || answer.StatusCode >= http.StatusMultipleChoices {
		t.Fatal(err, answer)
	}
}

// Without the sandbox the agent has nothing, follows real time, and reads what the standard variables lead to.
func TestRealCloudsAreReadInRealTime(t *testing.T) {
	url := moto(t)
	month := cost.Month(time.Now())
	furnish(t, url, month)
	root, err := stack.FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	s, err := stack.Start(t.Context(), stack.Options{Root: root, Dir: openDir(t), Address: "127.0.0.1:0", Throwaway: true, Real: true, Progress: t.Logf,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	if code, _ := call(t, s.URL+"/sandbox/clock", http.MethodGet, s.Key, ""); code != http.StatusNotFound {
		t.Errorf("there are levers of a sandbox: %d", code)
	}
	if code, body := call(t, s.URL+"/api/v1/connections", http.MethodGet, s.Key, ""); code != http.StatusOK || strings.TrimSpace(body) != `{"items":[]}` {
		t.Errorf("it begins with %d %s", code, body)
	}
	const mine = `{"id":"aws-main","cloud":"aws","name":"Mine","settings":{"role_arn":"arn:aws:iam::123456789012:role/CostAgent","regions":"us-east-1"}}`
	if code, body := call(t, s.URL+"/api/v1/connections", http.MethodPost, s.Key, mine); code != http.StatusCreated {
		t.Fatalf("%d %s", code, body)
	}
	run := ended(t, s, "/api/v1/aws/costs/collect", `{"connection":"aws-main","months":1}`)
	if run.Status != "succeeded" || run.Result.Rows != 2 || run.Result.Resources < 4 {
		t.Fatalf("%+v", run)
	}
	var costs struct {
		Totals []struct{ Cost cost.Money } `json:"totals"`
	}
	if err := callerOf(s).Get(t.Context(), "/api/v1/costs?start="+month.Start.Format(time.DateOnly)+"&end="+month.End.Format(time.DateOnly), nil, &costs); err != nil || len(costs.Totals) != 1 {
		t.Fatalf("%+v %v", costs, err)
	}
	if total := costs.Totals[0].Cost; total.Amount.String() != "12.5" || total.Currency != "USD" {
		t.Errorf("the bill sums up to %s", total)
	}
	status := getStatus(t, s, "aws-main")
	for _, r := range status.Readings {
		if r.Status != ingest.OK || time.Since(r.At) > time.Hour {
			t.Errorf("%+v", r)
		}
	}
	for _, p := range status.Parts {
		if p.Status != ingest.OK {
			t.Errorf("%+v", p)
		}
	}
	if len(status.Readings) != 2 || len(status.Parts) < 5 {
		t.Errorf("%+v", status)
	}
}

// endedRun is what became of a collection.
type endedRun struct {
	ID, Status, Reason string
	Result             struct {
		Rows, Resources int
		Problems        []string
	}
}

// ended starts something and waits until it has ended.
func ended(t *testing.T, s *stack.Stack, path, body string) endedRun {
	t.Helper()
	var run endedRun
	_, text := call(t, s.URL+path, http.MethodPost, s.Key, body)
	tick, limit := time.NewTicker(100*time.Millisecond), time.After(2*time.Minute)
	defer tick.Stop()
	for {
		if err := json.Unmarshal([]byte(text), &run); err != nil {
			t.Fatal(err, text)
		}
		if run.Status != "running" {
			return run
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s did not end", path)
		}
		_, text = call(t, s.URL+"/api/v1/runs/"+run.ID, http.MethodGet, s.Key, "")
	}
}
