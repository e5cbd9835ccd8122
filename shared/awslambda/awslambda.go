// Package awslambda lets the handlers of Cost Agent run as Lambda functions: HTTP behind API Gateway, and tasks of Step Functions.
package awslambda

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// Handler is a Lambda function: an event in, an answer out, both JSON.
type Handler = lambda.Handler

// Start runs the handler until the environment ends. It never returns.
func Start(h Handler) { lambda.Start(h) }

// raw makes a function of bytes a Handler.
type raw func(ctx context.Context, event []byte) ([]byte, error)

// margin is how long before Lambda ends a call by force it is ended here; of short calls it is a tenth. A call that is killed
// takes nothing back: its transaction stays open, with the locks that it holds, until the database misses the other side.
const margin = 2 * time.Second

// Invoke calls the function, with a deadline that leaves it the time to end in order.
func (f raw) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-min(margin, time.Until(end)/10)))
		defer cancel()
	}
	return f(ctx, event)
}

// reported is how a failure leaves a function: its type is the fault's code, which state machines match in ErrorEquals, and
// its message is the public one. The cause goes to the log.
func reported(ctx context.Context, log *slog.Logger, what string, err error) error {
	public := fault.Public(err)
	level := slog.LevelWarn
	if public.Code == fault.Internal {
		level = slog.LevelError
	}
	log.Log(ctx, level, "a function failed", "what", what, "code", string(public.Code), "error", err.Error())
	return messages.InvokeResponse_Error{Type: string(public.Code), Message: public.Message}
}
