package dynamo

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// LockAPI is what locks call of DynamoDB.
type LockAPI interface {
	TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, options ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
	UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// Locks lets one execution at a time touch a resource. A lock is an item that keeps its fencing token after it was given
// back, so that an owner who was away for too long can never take it with an older one. Whether a lease is over is compared
// in the condition of the write, since DynamoDB removes expired items late.
type Locks struct {
	API  LockAPI
	Name string // of the table
	Now  func() time.Time
}

// mostInTransaction is a limit of TransactWriteItems.
const mostInTransaction = 100

func lockID(t tenant.ID, ref resource.Ref) string {
	return strings.Join([]string{"lock", string(t), string(ref.Cloud), ref.Account, string(ref.Type), ref.ID}, "#")
}

// Lock takes the locks of all targets until the given time, or renews those that the owner has. It fails with fault.Conflict
// when another owner holds one or a newer fencing token has been seen. Targets are taken in a fixed order, a hundred at a
// time, so of several owners that want the same ones one gets through. What was taken before the failure stays with the
// owner, who may have held it already; Unlock gives it back.
func (l *Locks) Lock(ctx context.Context, t tenant.ID, targets []resource.Ref, owner string, fence int64, until time.Time) error {
	ordered := slices.SortedFunc(slices.Values(targets), func(a, b resource.Ref) int { return cmp.Compare(lockID(t, a), lockID(t, b)) })
	for chunk := range slices.Chunk(ordered, mostInTransaction) {
		if err := l.take(ctx, t, chunk, owner, fence, until); err != nil {
			return err
		}
	}
	return nil
}

func (l *Locks) take(ctx context.Context, t tenant.ID, chunk []resource.Ref, owner string, fence int64, until time.Time) error {
	set := "SET #owner = :me, fence = :fence, lease_until = :until"
	free := "(attribute_not_exists(pk) OR lease_until < :now OR #owner = :me) AND (attribute_not_exists(fence) OR fence < :fence OR #owner = :me)"
	values := item{":me": text(owner), ":fence": number(fence), ":until": epoch(until), ":now": epoch(l.Now())}
	in := &dynamodb.TransactWriteItemsInput{}
	for _, ref := range chunk {
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Update: &types.Update{
			TableName: &l.Name, Key: item{keyAttr: text(lockID(t, ref))}, UpdateExpression: &set, ConditionExpression: &free,
			ExpressionAttributeNames: ownerName, ExpressionAttributeValues: values,
		}})
	}
	_, err := l.API.TransactWriteItems(ctx, in)
	return translateLock(err, chunk)
}

// ownerName spells the attribute that DynamoDB reserves the name of.
var ownerName = map[string]string{"#owner": "owner"}

// Unlock gives back the locks that the owner holds; those of others stay.
func (l *Locks) Unlock(ctx context.Context, t tenant.ID, targets []resource.Ref, owner string) error {
	set, mine := "SET lease_until = :none", "#owner = :me"
	for _, ref := range targets {
		_, err := l.API.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &l.Name, Key: item{keyAttr: text(lockID(t, ref))}, UpdateExpression: &set, ConditionExpression: &mine,
			ExpressionAttributeNames: ownerName, ExpressionAttributeValues: item{":me": text(owner), ":none": number(0)},
		})
		if err != nil && !conditionFailed(err) {
			return translate(err)
		}
	}
	return nil
}

// translateLock tells a lock that is held from a write that met another one at the same moment and is worth a retry.
func translateLock(err error, chunk []resource.Ref) error {
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return translate(err)
	}
	for i, reason := range canceled.CancellationReasons {
		if reason.Code != nil && *reason.Code == "ConditionalCheckFailed" && i < len(chunk) {
			return fault.Wrap(err, fault.Conflict, "Another execution holds %s. Try again when it has ended.", chunk[i].ID)
		}
	}
	return fault.Wrap(err, fault.Unavailable, "The locks are being taken by several executions at once; try again in a moment.")
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
