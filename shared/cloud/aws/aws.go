// Package aws reads what AWS bills, what exists there, how it is used and what it would cost.
package aws

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Options are what a collector needs beside its connection.
type Options struct {
	// AWS is the function's own identity, which the connection's role trusts.
	AWS aws.Config
	// Secret is not used: a connection to AWS has no stored credentials.
	Secret func(ctx context.Context, name string) ([]byte, error)
	// Meter counts what paid calls cost; nil counts nothing.
	Meter *ingest.Meter
	// Now is the clock.
	Now func() time.Time
}

// Collector reads one connection: the account of its role, and with the setting member_role all accounts of its
// organisation.
type Collector struct {
	settings settings
	own      aws.Config // the function's identity
	account  account    // that of the connection's role
	meter    *ingest.Meter
	now      func() time.Time
	explorer *turnstile
}

// account is one AWS account with the identity that reads it.
type account struct {
	id, name string
	config   aws.Config
}

var _ ingest.Collector = (*Collector)(nil)

const (
	// global is the region of the services that have a single endpoint, and the one that no account can switch off.
	global = "us-east-1"
	// attempts is how often a call is made before it counts as failed; the pauses between them grow to patience.
	attempts = 6
	patience = 10 * time.Second
	// betweenRequests keeps to two Cost Explorer requests a second, below what AWS throttles an account at.
	betweenRequests = 500 * time.Millisecond
)

// New makes the collector of a connection. It calls nothing yet. Settings that cannot be used are fault.Invalid.
func New(_ context.Context, c ingest.Connection, o Options) (*Collector, error) {
	s, err := parse(c)
	if err != nil {
		return nil, err
	}
	own := o.AWS.Copy()
	if own.Region == "" {
		own.Region = global
	}
	if own.Retryer == nil {
		own.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = attempts, patience })
		}
	}
	now := o.Now
	if now == nil {
		return nil, fault.New(fault.Internal, "A collector needs a clock.")
	}
	k := &Collector{settings: s, own: own, meter: o.Meter, now: now, explorer: &turnstile{every: betweenRequests}}
	k.account = account{id: s.account, config: k.assume(s.role)}
	return k, nil
}

// in is the account's identity in a region.
func (a account) in(region string) aws.Config {
	config := a.config.Copy()
	config.Region = region
	return config
}

// settings are the connection's settings, read.
type settings struct {
	role, account, externalID  string
	memberRole                 string
	accounts, regions, service []string
	bucket, prefix, export     string
	bucketRegion               string
	noPrices, noCommitments    bool
	noAdvice                   bool
	tags                       []wantedTag
	costTag                    string
}

func parse(c ingest.Connection) (settings, error) {
	if err := ingest.CheckSettings(resource.AWS, c.Settings); err != nil {
		return settings{}, err
	}
	s := settings{
		role: c.Settings["role_arn"], externalID: string(c.Tenant), memberRole: c.Settings["member_role"],
		accounts: list(c.Settings["accounts"]), regions: list(c.Settings["regions"]), service: list(c.Settings["services"]),
		bucket: c.Settings["export_bucket"], prefix: strings.Trim(c.Settings["export_prefix"], "/"), export: c.Settings["export_name"],
		bucketRegion: c.Settings["export_region"], noPrices: c.Settings["price_list"] == "off",
		tags: wantedTags(c.Settings["tags"]), costTag: c.Settings["cost_tag"], noCommitments: c.Settings["commitments"] == "off", noAdvice: c.Settings["advice"] == "off",
	}
	if s.externalID == "" {
		return s, fault.Input("tenant", "", "is missing; it is the external id that the role expects")
	}
	if (s.bucket == "") != (s.export == "") {
		return s, fault.Input("settings.export_bucket", s.bucket, "and export_name belong together: give both or none")
	}
	s.account = strings.Split(s.role, ":")[4] // arn:aws:iam::123456789012:role/name
	if s.bucketRegion == "" {
		s.bucketRegion = global
	}
	return s, nil
}

// tagged reports whether a resource has one of the tags that the settings name, if they name any.
func (s settings) tagged(tags map[string]string) bool {
	return len(s.tags) == 0 || slices.ContainsFunc(s.tags, func(want wantedTag) bool {
		value, has := tags[want.key]
		return has && (want.any || value == want.value)
	})
}

// wantedTag is a tag with a value, or with any.
type wantedTag struct {
	key, value string
	any        bool
}

func wantedTags(text string) (out []wantedTag) {
	for _, item := range list(text) {
		key, value, given := strings.Cut(item, "=")
		out = append(out, wantedTag{strings.TrimSpace(key), strings.TrimSpace(value), !given})
	}
	return out
}

// partition is the part of AWS, such as China, that a region is in.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// list reads a comma list.
func list(text string) []string {
	var out []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
