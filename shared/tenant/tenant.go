// Package tenant says whose data a request may touch and what its caller may do.
package tenant

import (
	"context"
	"slices"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// ID is a customer, a UUID in text form.
type ID string

// Role is what a principal may do; each role may do everything the ones before it may.
type Role string

// The roles, least first.
const (
	Viewer   Role = "viewer"   // reads
	Operator Role = "operator" // collects, analyses, generates recommendations
	Approver Role = "approver" // approves plans and starts executions
	Admin    Role = "admin"    // manages connections and keys
)

var ladder = []Role{Viewer, Operator, Approver, Admin}

// Valid reports whether r is one of the four roles.
func (r Role) Valid() bool { return slices.Contains(ladder, r) }

// May reports whether r includes the rights of needed. An unknown role has none, and nobody has those of one.
func (r Role) May(needed Role) bool {
	have, need := slices.Index(ladder, r), slices.Index(ladder, needed)
	return need >= 0 && have >= need
}

// Principal is the caller of one request.
type Principal struct {
	Tenant  ID
	Subject string // stable name of the key or user, for the audit trail; never an e-mail address
	Role    Role
}

type contextKey struct{}

// NewContext carries the principal along.
func NewContext(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// FromContext finds the principal. Without one the caller is unauthenticated, and nothing may be done.
func FromContext(ctx context.Context) (Principal, error) {
	p, ok := ctx.Value(contextKey{}).(Principal)
	if !ok || p.Tenant == "" {
		return Principal{}, fault.New(fault.Unauthenticated, "Send your API key in the X-Api-Key header.")
	}
	return p, nil
}

// Require finds the principal and checks its role.
func Require(ctx context.Context, needed Role) (Principal, error) {
	p, err := FromContext(ctx)
	if err != nil {
		return p, err
	}
	if !p.Role.May(needed) {
		return p, fault.New(fault.Forbidden, "This needs the role %s; your key has the role %s.", needed, p.Role)
	}
	return p, nil
}
