// Package secrets keeps the credentials of connections in AWS Secrets Manager.
package secrets

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// API is what this package calls of Secrets Manager.
type API interface {
	CreateSecret(ctx context.Context, in *secretsmanager.CreateSecretInput, options ...func(*secretsmanager.Options)) (*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, options ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, options ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	DeleteSecret(ctx context.Context, in *secretsmanager.DeleteSecretInput, options ...func(*secretsmanager.Options)) (*secretsmanager.DeleteSecretOutput, error)
}

// Store keeps each secret under Prefix and its name ("<tenant>/<connection>", see ingest.SecretName). The data side may write and
// delete there and the cloud side may read; no function may do both.
type Store struct {
	API    API
	Prefix string // ends with "/"
}

// Put stores the secret, in place of an earlier one.
func (s Store) Put(ctx context.Context, name string, secret []byte) error {
	put := func() error {
		_, err := s.API.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: s.id(name), SecretString: aws.String(string(secret))})
		return err
	}
	err := put()
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); !missing {
		return translate(err)
	}
	_, err = s.API.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: s.id(name), SecretString: aws.String(string(secret))})
	if _, raced := errors.AsType[*types.ResourceExistsException](err); raced {
		err = put()
	}
	return translate(err)
}

// Get reads the secret; fault.NotFound when there is none.
func (s Store) Get(ctx context.Context, name string) ([]byte, error) {
	out, err := s.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: s.id(name)})
	if err != nil {
		return nil, translate(err)
	}
	if out.SecretString == nil {
		return out.SecretBinary, nil
	}
	return []byte(*out.SecretString), nil
}

// Delete removes the secret at once and for good. One that is not there is fine.
func (s Store) Delete(ctx context.Context, name string) error {
	_, err := s.API.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: s.id(name), ForceDeleteWithoutRecovery: aws.Bool(true)})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return nil
	}
	return translate(err)
}

func (s Store) id(name string) *string { return aws.String(s.Prefix + name) }

// translate gives an error of Secrets Manager its fault code. The service's errors hold names, never values.
func translate(err error) error {
	if err == nil {
		return nil
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fault.Wrap(err, fault.Unavailable, "The store of credentials cannot be reached; try again in a moment.")
	}
	switch api.ErrorCode() {
	case "ResourceNotFoundException":
		return fault.Wrap(err, fault.NotFound, "The connection has no stored credentials; send its secret with PUT /api/v1/connections/{id}.")
	case "InvalidRequestException", "ResourceExistsException":
		return fault.Wrap(err, fault.Conflict, "The credentials are just being removed; try again in a moment.")
	case "ThrottlingException", "InternalServiceError", "LimitExceededException":
		return fault.Wrap(err, fault.Throttled, "The store of credentials is busy; try again in a moment.")
	}
	return fault.Wrap(err, fault.Internal, "The credentials could not be stored or read.")
}
