package services_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/redis/go-redis/v9"

	"github.com/cost-agent/cost-agent/local/services"
)

func config(url string) aws.Config {
	return aws.Config{Region: "local", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}
}

func TestObjectsOutliveTheService(t *testing.T) {
	t.Parallel()
	dir, body := t.TempDir(), bytes.Repeat([]byte("bill"), 1000)
	for n := range 2 {
		stand, err := services.StartS3(dir, "staging")
		if err != nil {
			t.Fatal(err)
		}
		client := s3.NewFromConfig(config(stand.URL()), func(o *s3.Options) { o.UsePathStyle = true })
		if n == 0 {
			if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("staging"), Key: aws.String("a/b.csv"), Body: bytes.NewReader(body)}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("staging"), Key: aws.String("a/b.csv"), Range: aws.String("bytes=4-7")})
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(got.Body); err != nil || string(text) != "bill" {
			t.Errorf("start %d: read %q, %v", n, text, err)
		}
		if err := stand.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestItemsOutliveTheService(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.jsonl")
	item := func(value string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "lock"}, "v": &types.AttributeValueMemberS{Value: value}}
	}
	put := func(client *dynamodb.Client, value string) error {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("keys"), Item: item(value), ConditionExpression: aws.String("attribute_not_exists(pk)")})
		return err
	}
	first, err := services.StartDynamoDB(path)
	if err != nil {
		t.Fatal(err)
	}
	client := dynamodb.NewFromConfig(config(first.URL()))
	if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("keys"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := put(client, "first"); err != nil {
		t.Fatal(err)
	}
	if err := put(client, "second"); err == nil {
		t.Fatal("the condition did not hold")
	}
	if err := first.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	cutOff(t, path)

	second, err := services.StartDynamoDB(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close(context.Background())
	client = dynamodb.NewFromConfig(config(second.URL()))
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("keys"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "lock"}}})
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := got.Item["v"].(*types.AttributeValueMemberS); !ok || v.Value != "first" {
		t.Errorf("after the restart the item is %v", got.Item)
	}
	if err := put(client, "third"); err == nil {
		t.Error("the condition does not hold after the restart")
	}
}

// cutOff leaves half a line at the end of the journal, as a crash does.
func cutOff(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"target":"DynamoDB_20120810.Del`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCacheAnswers(t *testing.T) {
	t.Parallel()
	cache, err := services.StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	options, err := redis.ParseURL(cache.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := client.Get(t.Context(), "k").Result(); err != nil || got != "v" {
		t.Errorf("got %q, %v", got, err)
	}
}
