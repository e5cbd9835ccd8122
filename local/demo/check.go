// Package demo holds every figure that the agent shows about the sandbox estate to the estate's ground truth.
package demo

import (
	"fmt"
	"io"

	"github.com/shopspring/decimal"
)

// Checks collects what held and what failed.
type Checks struct {
	Held, Failed int
	out          io.Writer
}

// NewChecks prints each check as it is made: failures always, what held by its name.
func NewChecks(out io.Writer) *Checks { return &Checks{out: out} }

// Hold notes one check. The detail is shown when it failed.
func (c *Checks) Hold(ok bool, name, detail string, args ...any) {
	if ok {
		c.Held++
		fmt.Fprintf(c.out, "  held    %s\n", name)
		return
	}
	c.Failed++
	fmt.Fprintf(c.out, "  FAILED  %s: %s\n", name, fmt.Sprintf(detail, args...))
}

// Close notes whether got is within tolerance (0.03 is three percent) of want.
func (c *Checks) Close(got, want decimal.Decimal, tolerance float64, name string) {
	most := want.Abs().Mul(decimal.NewFromFloat(tolerance))
	c.Hold(got.Sub(want).Abs().LessThanOrEqual(most), name, "%s, but truly %s", got.StringFixed(2), want.StringFixed(2))
}

// Summary is the last line: "demo: N checks held, M failed".
func (c *Checks) Summary() string {
	return fmt.Sprintf("demo: %d checks held, %d failed", c.Held, c.Failed)
}
