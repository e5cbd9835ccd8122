package azure

import (
	"context"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// items goes through all pages of a list, empty ones included. A page that leads back to one before would go on for ever, so
// that is fault.Unavailable.
func items[Page, Item any](ctx context.Context, pager *runtime.Pager[Page], of func(Page) ([]*Item, *string)) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		seen := map[string]bool{}
		for pager.More() {
			page, err := pager.NextPage(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			found, next := of(page)
			for _, item := range found {
				if item != nil && !yield(item, nil) {
					return
				}
			}
			if link := deref(next); link != "" {
				if seen[link] {
					yield(nil, endless())
					return
				}
				seen[link] = true
			}
		}
	}
}

func endless() error {
	return fault.New(fault.Unavailable, "A page of Azure's answer leads back to one before it, so the answer has no end; try again in a moment.")
}

// deref is the value, or nothing where Azure left it out.
func deref[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}
