package dynamo

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// How long a receipt counts.
const (
	// working is how long a claim keeps others out: longer than an API request may take (29 s), so that only the claim of a
	// request that died runs out.
	working = time.Minute
	// kept is how long an answer is given again: a day, in which every sensible retry falls.
	kept = 24 * time.Hour
)

func receiptID(t tenant.ID, operation, key string) string {
	return "idem#" + string(t) + "#" + operation + "#" + key
}

// Claim takes an idempotency key for a request with the hash. It gives the answer when the request has been carried out, nil
// when the caller is to do it now. It fails with fault.Conflict when the key belongs to another request, or to one that is
// still being worked on, and with fault.Unavailable when that one gave it back at the same moment.
func (t *Table) Claim(ctx context.Context, of tenant.ID, operation, key, hash string) ([]byte, error) {
	pk, now := receiptID(of, operation, key), t.Now()
	free := "attribute_not_exists(pk) OR expires <= :now"
	_, err := t.API.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &t.Name, ConditionExpression: &free,
		Item:                      item{keyAttr: text(pk), "hash": text(hash), expiresAttr: epoch(now.Add(working))},
		ExpressionAttributeValues: item{":now": epoch(now)},
	})
	if err == nil {
		return nil, nil
	}
	if !conditionFailed(err) {
		return nil, translate(err)
	}
	found, err := t.get(ctx, pk)
	if err != nil {
		return nil, err
	}
	if found == nil { // given back meanwhile
		return nil, fault.New(fault.Unavailable, "The first request with this Idempotency-Key failed at this moment; send it again.")
	}
	if textOf(found, "hash") != hash {
		return nil, fault.New(fault.Conflict, "This Idempotency-Key was sent with another request; use a new one for a new request.")
	}
	answer, ok := found["answer"].(*types.AttributeValueMemberB)
	if !ok {
		return nil, fault.New(fault.Conflict, "The first request with this Idempotency-Key is still being worked on; ask again in a moment.")
	}
	return answer.Value, nil
}

// Keep stores the answer under a claimed key.
func (t *Table) Keep(ctx context.Context, of tenant.ID, operation, key string, answer []byte) error {
	set := "SET answer = :answer, expires = :expires"
	claimed := "attribute_exists(pk)"
	_, err := t.API.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: t.key(receiptID(of, operation, key)), UpdateExpression: &set, ConditionExpression: &claimed,
		ExpressionAttributeValues: item{":answer": &types.AttributeValueMemberB{Value: answer}, ":expires": epoch(t.Now().Add(kept))},
	})
	if conditionFailed(err) {
		return fault.Wrap(err, fault.Conflict, "This Idempotency-Key is no longer claimed.")
	}
	return translate(err)
}

// Release gives a claimed key back.
func (t *Table) Release(ctx context.Context, of tenant.ID, operation, key string) error {
	_, err := t.API.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &t.Name, Key: t.key(receiptID(of, operation, key))})
	return translate(err)
}

func epoch(at time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(at.Unix(), 10)}
}
