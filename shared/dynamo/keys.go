package dynamo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Only the SHA-256 of a key is stored: keys are long random texts, so the hash needs no salt and reading the table gives none away.
func keyID(apiKey string) string {
	sum := sha256.Sum256([]byte(apiKey))
	return "key#" + hex.EncodeToString(sum[:])
}

// MinKey is the least length of an API key.
const MinKey = 20

// Lookup finds whose the key is. It fails with fault.Unauthenticated when it is nobody's.
func (t *Table) Lookup(ctx context.Context, apiKey string) (tenant.Principal, error) {
	unknown := fault.New(fault.Unauthenticated, "Send a valid API key in the X-Api-Key header.")
	if len(apiKey) < MinKey {
		return tenant.Principal{}, unknown
	}
	found, err := t.get(ctx, keyID(apiKey))
	if err != nil {
		return tenant.Principal{}, err
	}
	p := tenant.Principal{
		Tenant: tenant.ID(textOf(found, "tenant")), Subject: textOf(found, "subject"), Role: tenant.Role(textOf(found, "role")),
	}
	if p.Tenant == "" || !p.Role.Valid() {
		return tenant.Principal{}, unknown
	}
	return p, nil
}

// Put makes the key that of the principal. It replaces what the key was before.
func (t *Table) Put(ctx context.Context, apiKey string, p tenant.Principal) error {
	switch {
	case len(apiKey) < MinKey:
		return fault.Input("key", "", "has to be at least %d characters long", MinKey)
	case p.Tenant == "" || p.Subject == "":
		return fault.Input("principal", "", "needs a tenant and a subject")
	case !p.Role.Valid():
		return fault.Input("role", string(p.Role), "is not one of viewer, operator, approver, admin")
	}
	_, err := t.API.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.Name, Item: item{
		keyAttr: text(keyID(apiKey)), "tenant": text(string(p.Tenant)), "subject": text(p.Subject), "role": text(string(p.Role)),
	}})
	return translate(err)
}
