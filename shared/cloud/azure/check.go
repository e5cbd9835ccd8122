package azure

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// Check implements ingest.Collector. It tries each right once in each subscription, and names those that are refused with the
// role that grants them: "Microsoft.Compute/disks/read on /subscriptions/... (Reader)". Any other failure is an error: it says
// nothing about rights.
func (c *Collector) Check(ctx context.Context) (missing []string, err error) {
	seen, hidden, err := c.subscriptions(ctx)
	if err != nil && fault.CodeOf(err) != fault.Forbidden {
		return nil, err
	}
	missing = []string{}
	for _, id := range hidden {
		missing = append(missing, "Microsoft.Resources/subscriptions/read on /subscriptions/"+id+" (Reader)")
	}
	if len(seen)+len(hidden) == 0 {
		missing = append(missing, "Microsoft.Resources/subscriptions/read on at least one subscription (Reader)")
	}
	for _, s := range seen {
		for _, l := range listers {
			refused, err := isRefused(c.tryList(ctx, s, l))
			if err != nil {
				return nil, err
			}
			if refused {
				missing = append(missing, l.service+"/read on "+s.scope()+" (Reader)")
			}
		}
		refused, err := isRefused(c.tryAdvice(ctx, s))
		if err != nil {
			return nil, err
		}
		if refused {
			missing = append(missing, adviceRead+"/read on "+s.scope()+" (Reader)")
		}
	}
	lacking, err := c.missingRights(ctx, seen)
	if err != nil {
		return nil, err
	}
	return slices.Compact(append(missing, lacking...)), nil
}

// isRefused tells a refusal from other failures. A service that the subscription does not use needs no right.
func isRefused(err error) (bool, error) {
	if answer, ok := errors.AsType[*azcore.ResponseError](err); ok && slices.Contains(switchedOff, answer.ErrorCode) {
		return false, nil
	}
	if fault.CodeOf(err) == fault.Forbidden {
		return true, nil
	}
	return false, err
}

// tryList asks for the first page.
func (c *Collector) tryList(ctx context.Context, s subscription, l lister) error {
	for _, err := range l.list(c, ctx, s) {
		return translate(err, l.service+" of subscription "+s.id)
	}
	return nil
}

// tryAdvice asks for the first page. What commitments need cannot be tried: what may not be seen is as if it were not there.
func (c *Collector) tryAdvice(ctx context.Context, s subscription) error {
	for _, err := range answers[recommendation](ctx, c, adviceListing(s)) {
		return err
	}
	return nil
}

// tryQuery asks for the costs of yesterday.
func (c *Collector) tryQuery(ctx context.Context, p place) error {
	for _, err := range c.query(ctx, p.of, armcostmanagement.ExportTypeActualCost, cost.Days(c.options.Now().AddDate(0, 0, -1), 1)) {
		return err
	}
	return nil
}

// tryExport asks for the first names in the container. Storage says that it knows no such container where it may not say more.
func (c *Collector) tryExport(ctx context.Context, _ place) error {
	client, err := c.container()
	if err != nil {
		return err
	}
	pager := client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{MaxResults: pointer(int32(1))})
	_, err = pager.NextPage(ctx)
	if answer, ok := errors.AsType[*azcore.ResponseError](err); ok && answer.StatusCode == http.StatusNotFound {
		return fault.Wrap(err, fault.NotFound, "There is no container %s in the storage account of the export.", c.settings["export_container"])
	}
	return translate(err, "the export container")
}
