// Package job holds the units of work that API operations and Step Functions tasks share: each a struct whose fields are the
// small interfaces it needs, with methods of typed, JSON-tagged input and output.
package job

import "time"

// Clock tells the time; tests and the local runner bring their own.
type Clock func() time.Time
