package aws

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// probe is a call that only tells whether a right is there.
type probe struct {
	right string
	try   func(ctx context.Context) error
}

// Check implements ingest.Collector. It tries every call that collection makes: those of EC2 as dry runs, the others as their
// smallest reading, in the connection's account and in every other one that it reads, where the account stands behind the right.
// It costs one metric an account, and five Cost Explorer requests at most.
// A role that cannot be assumed at all is fault.Forbidden in the connection's account, and the right sts:AssumeRole in others.
func (c *Collector) Check(ctx context.Context) ([]string, error) {
	if err := c.enter(ctx, c.account); err != nil {
		return nil, err
	}
	missing, err := tried(ctx, slices.Concat(c.probesOfCosts(), c.probesOf(c.account), c.probesOfHome(), c.probesOfUse()))
	if err != nil || c.settings.memberRole == "" || slices.Contains(missing, accountsRight) {
		return missing, err
	}
	accounts, err := c.accounts(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	elsewhere := map[string][]string{}
	err = each(ctx, accounts, func(ctx context.Context, a account) error {
		if a.id == c.account.id {
			return nil
		}
		lacks, err := c.checkMember(ctx, a)
		mu.Lock()
		defer mu.Unlock()
		elsewhere[a.id] = lacks
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		for _, right := range elsewhere[a.id] {
			missing = append(missing, right+" (account "+a.id+")")
		}
	}
	return missing, nil
}

// enter assumes an account's role.
func (c *Collector) enter(ctx context.Context, a account) error {
	_, err := sts.NewFromConfig(a.in(global)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return translate(err, "sts:AssumeRole")
}

func (c *Collector) checkMember(ctx context.Context, a account) ([]string, error) {
	err := c.enter(ctx, a)
	if err != nil && fault.CodeOf(err) == fault.Forbidden {
		return []string{"sts:AssumeRole"}, nil
	}
	if err != nil {
		return nil, err
	}
	return tried(ctx, c.probesOf(a))
}

// tried lists the rights that are missing, in the order of the probes, and at the limit of spending those that it found until then.
func tried(ctx context.Context, probes []probe) ([]string, error) {
	missing := []string{}
	for _, p := range probes {
		err := p.try(ctx)
		if err == nil || codeOf(err) == "DryRunOperation" {
			continue
		}
		switch err = translate(err, p.right); fault.CodeOf(err) {
		case fault.Forbidden:
		case fault.LimitReached:
			return missing, err
		default:
			return nil, err
		}
		missing = append(missing, p.right)
	}
	return missing, nil
}

// granted takes the refusal of something that does not exist for the right to ask for it.
func granted(err error) error {
	if err != nil && fault.CodeOf(translate(err, "")) == fault.Unprocessable {
		return nil
	}
	return err
}

func (c *Collector) probesOfCosts() []probe {
	if c.settings.bucket != "" {
		return []probe{
			{"s3:ListBucket", func(ctx context.Context) error { _, err := c.manifests(ctx, cost.MonthStart(c.now())); return err }},
			{"s3:GetObject", c.probeObject},
		}
	}
	return []probe{{costRight, func(ctx context.Context) error {
		_, _, err := request(ctx, c, costRight, func(client *costexplorer.Client) (*costexplorer.GetCostAndUsageOutput, error) {
			return client.GetCostAndUsage(ctx, &costexplorer.GetCostAndUsageInput{TimePeriod: interval(c.recently()), Granularity: types.GranularityDaily, Metrics: []string{unblended}})
		})
		return err
	}}}
}

// recently is a day of which Cost Explorer has something.
func (c *Collector) recently() cost.Period { return cost.Days(cost.Day(c.now()).AddDate(0, 0, -2), 1) }

// probesOfUse ask how commitments were used. They come last, for they cost the most.
func (c *Collector) probesOfUse() []probe {
	if c.settings.noCommitments {
		return nil
	}
	day := interval(c.recently())
	return []probe{
		{planUseRight, func(ctx context.Context) error {
			_, _, err := request(ctx, c, planUseRight, func(client *costexplorer.Client) (any, error) {
				return client.GetSavingsPlansUtilizationDetails(ctx, &costexplorer.GetSavingsPlansUtilizationDetailsInput{TimePeriod: day})
			})
			return err
		}},
		{planCoverRight, func(ctx context.Context) error {
			_, _, err := request(ctx, c, planCoverRight, func(client *costexplorer.Client) (any, error) {
				return client.GetSavingsPlansCoverage(ctx, &costexplorer.GetSavingsPlansCoverageInput{TimePeriod: day, Granularity: types.GranularityDaily})
			})
			return err
		}},
		{reservationUseRight, func(ctx context.Context) error {
			_, _, err := request(ctx, c, reservationUseRight, func(client *costexplorer.Client) (any, error) {
				return client.GetReservationUtilization(ctx, &costexplorer.GetReservationUtilizationInput{TimePeriod: day})
			})
			return err
		}},
		{reservationCoverRight, func(ctx context.Context) error {
			_, _, err := request(ctx, c, reservationCoverRight, func(client *costexplorer.Client) (any, error) {
				return client.GetReservationCoverage(ctx, &costexplorer.GetReservationCoverageInput{TimePeriod: day})
			})
			return err
		}},
	}
}
