package collection_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	goredis "github.com/redis/go-redis/v9"

	"github.com/cost-agent/cost-agent/local/services"
	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/local/stepfunctions"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/redis"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/secrets"
	"github.com/cost-agent/cost-agent/shared/staging"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const (
	tenantID = tenant.ID("6f9b1c52-7a3e-4d8f-9c21-0e5b7d64a310")
	bucket   = "staging"
	prefix   = "cost-agent/connections/"
)

// world is a collection as it is deployed: the state machine, the load function, and the four functions that read clouds, each
// call in a process, over PostgreSQL, S3 and Secrets Manager, and the fakes of the clouds.
type world struct {
	*bills

	db         *postgres.DB
	url        string // of its database
	engine     *stepfunctions.Engine
	load       func(context.Context, []byte) ([]byte, error)
	collectors map[string]*function
	secrets    secrets.Store

	mu   sync.Mutex
	took map[string]time.Duration // by function and task, of all calls together
}

func collectorOf(c resource.Cloud) string { return "collect-" + string(c) }

// open sets everything up for so many connections of each cloud, with so many rows a month.
func open(tb testing.TB, count, rows int) *world {
	tb.Helper()
	root, err := stack.FindRoot(".")
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{bills: &bills{now: time.Now().UTC(), rows: rows}, collectors: map[string]*function{}, took: map[string]time.Duration{}}
	objects, err := services.StartS3(filepath.Join(tb.TempDir(), "staging"), bucket)
	if err != nil {
		tb.Fatal(err)
	}
	kept, err := services.StartSecretsManager(filepath.Join(tb.TempDir(), "secrets"))
	if err != nil {
		tb.Fatal(err)
	}
	cache, err := services.StartRedis()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = kept.Close(context.Background()); _ = objects.Close(context.Background()); cache.Close() })
	w.secrets = secrets.Store{API: secretsmanager.NewFromConfig(local(kept.URL())), Prefix: prefix}
	w.deploy(tb, root, objects.URL(), kept.URL())
	w.openLoad(tb, objects.URL(), cache.URL())
	w.openEngine(tb, root, objects.URL())
	w.connect(tb, count)
	return w
}

func local(url string) aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}
}

func bucketAt(url string) staging.Bucket {
	client := s3.NewFromConfig(local(url), func(o *s3.Options) { o.UsePathStyle = true })
	return staging.Bucket{API: client, Presigner: s3.NewPresignClient(client), Name: bucket}
}

// deploy builds the functions that read clouds, and gives them the environment that they have in AWS, a way out that leads to the
// fakes, and the addresses of what is local.
func (w *world) deploy(tb testing.TB, root, objects, kept string) {
	tb.Helper()
	outside := openInternet(tb, w.sites(tb))
	var names []string
	for _, c := range resource.Clouds {
		names = append(names, collectorOf(c))
	}
	folder := buildFunctions(tb, root, names...)
	for _, name := range names {
		w.collectors[name] = &function{tb: tb, name: name, binary: folder, env: append(deployed(tb, root, name),
			"STAGING_BUCKET="+bucket, "SECRETS_PREFIX="+strings.TrimSuffix(prefix, "/"), "LOG_LEVEL=warn",
			"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=function", "AWS_SECRET_ACCESS_KEY=s", "AWS_EC2_METADATA_DISABLED=true",
			"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
			"AWS_ENDPOINT_URL_S3="+objects, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+kept, "HTTPS_PROXY="+outside.proxy, "SSL_CERT_FILE="+outside.authority)}
	}
}

// sites finds the cloud that plays a host.
func (w *world) sites(tb testing.TB) func(host string) http.Handler {
	tb.Helper()
	clouds := map[string]http.Handler{
		"amazonaws.com": amazon{w.bills}, "vultr.com": vultr{w.bills}, "googleapis.com": openGoogle(tb, w.bills),
		"azure.com": microsoft{w.bills}, "microsoftonline.com": microsoft{w.bills}, "microsoft.com": microsoft{w.bills},
	}
	return func(host string) http.Handler {
		labels := strings.Split(bare(host), ".")
		if site := clouds[strings.Join(labels[max(0, len(labels)-2):], ".")]; site != nil {
			return site
		}
		tb.Errorf("nobody plays %s", host)
		return http.NotFoundHandler()
	}
}

// openLoad makes the load function.
func (w *world) openLoad(tb testing.TB, objects, cache string) {
	tb.Helper()
	var err error
	w.url = pgtest.URL(tb)
	const likeTheLocalStack = 8
	if w.db, err = postgres.Open(tb.Context(), postgres.Options{URL: w.url, MaxConns: likeTheLocalStack}); err != nil {
		tb.Fatal(err)
	}
	options, err := redis.Options(cache)
	if err != nil {
		tb.Fatal(err)
	}
	client := goredis.NewClient(options)
	tb.Cleanup(func() { _ = client.Close(); w.db.Close() })
	staged, readers := bucketAt(objects), map[resource.Cloud]string{}
	for _, c := range resource.Clouds {
		readers[c] = collectorOf(c)
	}
	load := job.Load{Record: w.db, Inventory: w.db, Staging: staged, Versions: redis.New(client)}
	plan := job.PlanCollection{Connections: w.db, Collectors: readers, Staging: staged, Bucket: bucket, Now: func() time.Time { return w.now }}
	w.load = awslambda.Tasks(slog.New(slog.DiscardHandler), map[string]awslambda.Task{
		"plan": awslambda.TaskOf(plan.Run), "note": awslambda.TaskOf(plan.Note), "sum": awslambda.TaskOf(plan.Sum),
		"load": awslambda.TaskOf(load.Run), "load-inventory": awslambda.TaskOf(load.LoadInventory),
	}).Invoke
}

// openEngine defines the state machine of collections.
func (w *world) openEngine(tb testing.TB, root, objects string) {
	tb.Helper()
	store, err := stepfunctions.OpenPostgres(tb.Context(), pgtest.Pool(tb))
	if err != nil {
		tb.Fatal(err)
	}
	staged := bucketAt(objects)
	w.engine, err = stepfunctions.New(stepfunctions.Options{Store: store, Invoke: w.invoke, Object: func(ctx context.Context, _, key string) ([]byte, error) {
		o, err := staged.Reader(ctx, key)
		if err != nil {
			return nil, err
		}
		defer func() { _ = o.Close() }() // it was only read
		return io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
	}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = w.engine.Close(context.Background()) })
	definition, err := os.ReadFile(filepath.Join(root, "statemachines", "collect.asl.json"))
	if err != nil {
		tb.Fatal(err)
	}
	if err := w.engine.Define("collect", definition, map[string]string{"LoadFunction": "load", "AnalyzeFunction": "analyze"}); err != nil {
		tb.Fatal(err)
	}
}

// connect registers the connections, with their credentials.
func (w *world) connect(tb testing.TB, count int) {
	tb.Helper()
	w.register(map[resource.Cloud]func(int) (map[string]string, string){
		resource.AWS: amazon{}.settings, resource.Azure: microsoft{}.settings, resource.GCP: openGoogle(tb, w.bills).settings, resource.Vultr: vultr{}.settings,
	}, count)
	if err := w.db.SaveTenant(tb.Context(), tenantID, "Shop"); err != nil {
		tb.Fatal(err)
	}
	for _, a := range w.of {
		if err := w.db.SaveConnection(tb.Context(), a.Connection); err != nil {
			tb.Fatal(err)
		}
		if a.secret == "" {
			continue
		}
		if err := w.secrets.Put(tb.Context(), a.Secret, []byte(a.secret)); err != nil {
			tb.Fatal(err)
		}
	}
}

// invoke calls a function for the engine.
func (w *world) invoke(ctx context.Context, name string, payload []byte) ([]byte, error) {
	began := time.Now()
	call := w.load
	if f := w.collectors[name]; f != nil {
		call = f.Invoke
	}
	out, err := call(ctx, payload)
	if failed, ok := errors.AsType[messages.InvokeResponse_Error](err); ok {
		err = &stepfunctions.FunctionError{Type: failed.Type, Message: failed.Message}
	}
	var in struct{ Task string }
	_ = json.Unmarshal(payload, &in) // without a task it is counted under none
	w.mu.Lock()
	defer w.mu.Unlock()
	w.took[name+" "+in.Task] += time.Since(began)
	return out, err
}

// collect runs a collection of both months, without the analysis that follows one. The error is for what was not collected.
func (w *world) collect(ctx context.Context, name string) (collected job.Collected, took time.Duration, err error) {
	began := time.Now()
	arn, err := w.engine.Start(ctx, "collect", name, fmt.Appendf(nil, `{"tenant":%q,"months":%d,"round":"apart"}`, tenantID, len(w.months())))
	if err != nil {
		return collected, 0, err
	}
	x, err := w.engine.Wait(ctx, arn)
	took = time.Since(began)
	if err != nil || x.Status != stepfunctions.Succeeded {
		return collected, took, fmt.Errorf("the collection is %s: %s %s %w", x.Status, x.Error, x.Cause, err)
	}
	return collected, took, json.Unmarshal(x.Output, &collected)
}

func read(r *http.Request) []byte {
	body, _ := io.ReadAll(r.Body) // what is cut off is refused as what it then is
	return body
}

func reply(w http.ResponseWriter, document any) { _ = json.NewEncoder(w).Encode(document) }

// between is the number that stands in a text between two others.
func between(text, before, after string) (int, bool) {
	_, rest, ok := strings.Cut(text, before)
	if after != "" {
		rest, _, _ = strings.Cut(rest, after)
	}
	n, err := strconv.Atoi(rest)
	return n, ok && err == nil
}
