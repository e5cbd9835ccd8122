// Package dynamo keeps API keys, idempotency receipts and locks in one DynamoDB table.
//
// The table has one string key, pk, and a number attribute, expires (epoch seconds), which is its time-to-live. DynamoDB
// removes expired items late, so every read compares expires itself.
package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// API is what this package calls of DynamoDB.
type API interface {
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, options ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(ctx context.Context, in *dynamodb.PutItemInput, options ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, options ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// Table is the table.
type Table struct {
	API  API
	Name string
	Now  func() time.Time
}

const (
	keyAttr     = "pk"
	expiresAttr = "expires"
)

// item is what stands in the table, by attribute name.
type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func textOf(i item, name string) string {
	if s, ok := i[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func (t *Table) key(pk string) item { return item{keyAttr: text(pk)} }

// get reads one item, consistently; nil when there is none.
func (t *Table) get(ctx context.Context, pk string) (item, error) {
	consistent := true
	out, err := t.API.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: t.key(pk), ConsistentRead: &consistent})
	if err != nil {
		return nil, translate(err)
	}
	return out.Item, nil
}

// conditionFailed reports whether a conditional write found the condition false.
func conditionFailed(err error) bool {
	_, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	return ok
}

// translate gives an error of DynamoDB its fault code.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		switch api.ErrorCode() {
		case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
			return fault.Wrap(err, fault.Throttled, "The key table is busy; try again in a moment.")
		case "ValidationException", "ResourceNotFoundException", "AccessDeniedException":
			return fault.Wrap(err, fault.Internal, "The key table refused the request.")
		}
	}
	return fault.Wrap(err, fault.Unavailable, "The key table cannot be reached; try again in a moment.")
}
