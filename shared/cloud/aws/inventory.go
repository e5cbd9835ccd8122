package aws

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// service is one part of a region's inventory.
type service struct {
	name  string
	read  func(context.Context, place) ([]resource.Resource, error)
	bills []string // what Cost Explorer calls what it reads
}

// services are what an inventory is read from, by AWS's names of them.
var services = []service{
	{"ec2", readEC2, []string{"Amazon Elastic Compute Cloud - Compute", "EC2 - Other", "Amazon Virtual Private Cloud"}},
	{"rds", readRDS, []string{"Amazon Relational Database Service"}},
	{"elasticloadbalancing", readBalancers, []string{"Amazon Elastic Load Balancing"}},
	{"lambda", readFunctions, []string{"AWS Lambda"}},
	{"autoscaling", readGroups, []string{"Amazon Elastic Compute Cloud - Compute"}},
	{"s3", readBuckets, []string{"Amazon Simple Storage Service"}},
}

// services are those that the settings allow.
func (s settings) services() []service {
	if len(s.service) == 0 {
		return services
	}
	return slices.DeleteFunc(slices.Clone(services), func(part service) bool {
		return !slices.ContainsFunc(part.bills, func(name string) bool { return slices.Contains(s.service, name) })
	})
}

// place is one region of one account. now is when the reading began.
type place struct {
	account account
	region  string
	find    *Collector
}

// accountsRight is the right to list the accounts of an organisation.
const accountsRight = "organizations:ListAccounts"

// atOnce bounds the parts that are read at the same time.
const atOnce = 8

// Resources implements ingest.Collector. An account that cannot be entered is a failed part of every region, so that what
// exists there is not taken for gone.
func (c *Collector) Resources(ctx context.Context) (ingest.Inventory, error) {
	home, err := c.regions(ctx, c.account)
	if err != nil {
		return ingest.Inventory{}, err
	}
	accounts, err := c.accounts(ctx)
	var i gathering
	if err != nil {
		i.fail(home, "organizations", "", err)
	}
	var running sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	for _, a := range accounts {
		regions := home
		if a.id != c.account.id {
			if regions, err = c.regions(ctx, a); err != nil {
				i.fail(home, "ec2", a.id, err)
				continue
			}
		}
		for _, r := range regions {
			for _, s := range c.settings.services() {
				if r.disabled {
					i.add(ingest.Part{Account: a.id, Region: r.name, Service: s.name, Status: ingest.Disabled, Reason: "The account has not switched this region on."}, nil)
					continue
				}
				turn <- struct{}{}
				running.Go(func() {
					found, err := s.read(ctx, place{a, r.name, c})
					found = slices.DeleteFunc(found, func(r resource.Resource) bool { return !c.settings.tagged(r.Tags) })
					i.add(partOf(r.name, s.name, a.id, err), found)
					<-turn
				})
			}
		}
	}
	running.Wait()
	if err := ctx.Err(); err != nil {
		return ingest.Inventory{}, translate(err, "reading the inventory")
	}
	return i.inventory(), nil
}

// each does something with all items, some at a time, until the first error.
func each[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	for _, item := range items {
		turn <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			if err := do(ctx, item); err != nil {
				cancel(err)
			}
			<-turn
		})
	}
	running.Wait()
	if err := context.Cause(ctx); err != nil {
		return translate(err, "reading the inventory")
	}
	return nil
}

// gathering collects parts and their resources from many goroutines.
type gathering struct {
	mu sync.Mutex
	ingest.Inventory
}

func (g *gathering) add(p ingest.Part, found []resource.Resource) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Parts, g.Resources = append(g.Parts, p), append(g.Resources, found...)
}

// fail notes in every region that something above regions could not be read.
func (g *gathering) fail(regions []region, service, account string, err error) {
	for _, r := range regions {
		g.add(partOf(r.name, service, account, err), nil)
	}
}

// severity is the order of the parts in an inventory: those to look at come first.
var severity = []ingest.Status{ingest.Failed, ingest.Denied, ingest.Disabled, ingest.OK}

func byStatus(a, b ingest.Part) int {
	return cmp.Or(cmp.Compare(slices.Index(severity, a.Status), slices.Index(severity, b.Status)),
		cmp.Compare(a.Region, b.Region), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Account, b.Account))
}

func (g *gathering) inventory() ingest.Inventory {
	slices.SortFunc(g.Parts, byStatus)
	slices.SortFunc(g.Resources, func(a, b resource.Resource) int { return cmp.Compare(a.ID, b.ID) })
	return g.Inventory
}

func partOf(region, service, account string, err error) ingest.Part {
	p := ingest.Part{Account: account, Region: region, Service: service, Status: statusFor(err)}
	if err != nil {
		p.Reason = fault.Public(err).Message
	}
	return p
}

// region is a region of AWS as an account sees it.
type region struct {
	name     string
	disabled bool
}

// regions lists the regions that the settings allow, switched on or not.
func (c *Collector) regions(ctx context.Context, a account) ([]region, error) {
	out, err := ec2.NewFromConfig(a.in(global)).DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)})
	if err != nil {
		return nil, translate(err, "ec2:DescribeRegions")
	}
	var regions []region
	for _, r := range out.Regions {
		name := aws.ToString(r.RegionName)
		if len(c.settings.regions) > 0 && !slices.Contains(c.settings.regions, name) {
			continue
		}
		status := aws.ToString(r.OptInStatus)
		regions = append(regions, region{name, status != "opt-in-not-required" && status != "opted-in"})
	}
	return regions, nil
}

// accounts lists the accounts to read: the connection's own, and with the setting member_role all active ones of the
// organisation. The own account comes back also when the others cannot be listed.
func (c *Collector) accounts(ctx context.Context) ([]account, error) {
	wanted := func(id string) bool { return len(c.settings.accounts) == 0 || slices.Contains(c.settings.accounts, id) }
	var out []account
	if wanted(c.account.id) {
		out = append(out, c.account)
	}
	if c.settings.memberRole == "" {
		return out, nil
	}
	pages := organizations.NewListAccountsPaginator(organizations.NewFromConfig(c.account.in(global)), &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, translate(err, accountsRight)
		}
		for _, a := range page.Accounts {
			id := aws.ToString(a.Id)
			if active(a) && id != c.account.id && wanted(id) {
				out = append(out, c.member(id, aws.ToString(a.Name)))
			}
		}
	}
	return out, nil
}

// active leaves out accounts that are suspended, closed, or not there yet. AWS has State in place of Status, which it retired in
// September 2026; other servers may know the old one alone.
func active(a types.Account) bool {
	return cmp.Or(string(a.State), string(a.Status)) == string(types.AccountStateActive)
}

// accountOf is the account with the id, which the connection may read.
func (c *Collector) accountOf(id string) (account, error) {
	switch {
	case id == c.account.id:
		return c.account, nil
	case c.settings.memberRole == "":
		return account{}, fault.New(fault.Unprocessable, "The connection does not read the account %s. Name the role there in the setting member_role.", id)
	}
	return c.member(id, ""), nil
}

// member is another account of the organisation. Its role trusts the agent as the connection's does.
func (c *Collector) member(id, name string) account {
	return account{id: id, name: name, config: c.assume("arn:aws:iam::" + id + ":role/" + c.settings.memberRole)}
}
