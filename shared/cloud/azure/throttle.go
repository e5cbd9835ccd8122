package azure

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// longestWait makes the SDK wait as long as Cost Management asks: it says so once for each of its quotas, in headers of its
// own such as x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after, where the SDK looks at Retry-After alone. The longest
// of them counts, for the request fails again until all quotas are free. Waits above the SDK's longest delay (a minute) end
// the request as throttled, and whoever asked decides when to come back.
type longestWait struct{}

// Do implements policy.Policy.
func (longestWait) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return resp, err
	}
	longest, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // a date, which is legal too, is none of the quotas'
	found := false
	for name, values := range resp.Header {
		name = strings.ToLower(name)
		if !strings.HasPrefix(name, "x-ms-ratelimit-") || !strings.HasSuffix(name, "retry-after") {
			continue
		}
		for _, v := range values {
			if seconds, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && seconds > longest {
				longest, found = seconds, true
			}
		}
	}
	if found {
		resp.Header.Del("Retry-After-Ms")
		resp.Header.Del("X-Ms-Retry-After-Ms")
		resp.Header.Set("Retry-After", strconv.Itoa(longest))
	}
	return resp, err
}
