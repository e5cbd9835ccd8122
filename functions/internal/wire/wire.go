// Package wire builds what functions are made of from their environment: one method an adapter, so that a function holds only
// what its main asks for.
package wire

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/config"
	"github.com/cost-agent/cost-agent/shared/dynamo"
	"github.com/cost-agent/cost-agent/shared/secrets"
	"github.com/cost-agent/cost-agent/shared/staging"
	"github.com/cost-agent/cost-agent/shared/states"
	"github.com/cost-agent/cost-agent/shared/telemetry"
)

// Env is the environment of a function that is starting.
type Env struct {
	config.Config

	Logger *slog.Logger
	AWS    aws.Config
}

// Now is the clock of functions.
func Now() time.Time { return time.Now() }

// Pause returns after so long, or with an error when ctx ends before.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NewID makes ids that cannot be guessed and fit into names of runs and keys.
func NewID() string { return strings.ToLower(rand.Text()) }

// Run reads the environment, lets build make the handler, and serves it until the end. A function that cannot be built ends at
// once with the reason in its log, and Lambda reports it as failed.
func Run(build func(context.Context, *Env) (awslambda.Handler, error), needs ...config.Need) {
	name := os.Getenv("AWS_LAMBDA_FUNCTION_NAME")
	log := telemetry.Logger(os.Stdout, slog.LevelInfo, name)
	handler, err := prepare(context.Background(), name, build, needs)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	awslambda.Start(handler)
}

func prepare(ctx context.Context, name string, build func(context.Context, *Env) (awslambda.Handler, error), needs []config.Need) (awslambda.Handler, error) {
	settings, err := config.Load(os.Getenv, needs...)
	if err != nil {
		return nil, err
	}
	own, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return build(ctx, &Env{Config: settings, Logger: telemetry.Logger(os.Stdout, settings.Log, name), AWS: own})
}

// Table is the table of keys and receipts.
func (e *Env) Table() *dynamo.Table {
	return &dynamo.Table{API: dynamodb.NewFromConfig(e.AWS), Name: e.Config.Table, Now: Now}
}

// Locks are in the same table.
func (e *Env) Locks() *dynamo.Locks {
	return &dynamo.Locks{API: dynamodb.NewFromConfig(e.AWS), Name: e.Config.Table, Now: Now}
}

// Staging is the staging bucket.
func (e *Env) Staging() staging.Bucket {
	client := s3.NewFromConfig(e.AWS)
	return staging.Bucket{API: client, Presigner: s3.NewPresignClient(client), Name: e.Bucket}
}

// Secrets are the credentials of connections. The function's own rights say whether it may read or write them.
func (e *Env) Secrets() secrets.Store {
	return secrets.Store{API: secretsmanager.NewFromConfig(e.AWS), Prefix: e.Config.Secrets}
}

// Runs starts and watches state machines.
func (e *Env) Runs() states.Client {
	return states.Client{API: sfn.NewFromConfig(e.AWS), Machines: e.Machines}
}

// Detailed is the input of a task that EventBridge calls: what the event is about.
type Detailed[In any] struct {
	Detail In `json:"detail"`
}

// Detail lets a task take its input from an event of EventBridge. The rule passes the event's detail on as a whole, for it would
// take the JSON text in it apart.
func Detail[In, Out any](do func(context.Context, In) (Out, error)) func(context.Context, Detailed[In]) (Out, error) {
	return func(ctx context.Context, in Detailed[In]) (Out, error) { return do(ctx, in.Detail) }
}
