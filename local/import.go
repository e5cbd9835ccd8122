package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/local/client"
	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// importBill loads a FOCUS file into the agent that runs at the address, and shows what became of it.
func importBill(ctx context.Context, s settings, file string) error {
	options, err := s.options(s.dir)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(options.Dir, stack.KeyFile))
	if err != nil {
		return errors.New("no agent has run here yet: start one with make run, in another terminal")
	}
	c := client.Client{Base: "http://" + s.address, Key: strings.TrimSpace(string(key)), HTTP: &http.Client{Timeout: time.Hour}}
	var result struct {
		Report ingest.Report `json:"report"`
	}
	if err := c.Import(ctx, file, s.connection, &result); err != nil {
		return err
	}
	r := result.Report
	if r.Unchanged {
		fmt.Println("This bill is loaded already; nothing was changed.")
	}
	fmt.Printf("%d rows accepted, %d rejected\n", r.Accepted, r.Rejected)
	for _, t := range r.Totals {
		fmt.Printf("  %-24s %s  %d rows, billed %s, effective %s\n", t.Provider, t.Currency, t.Rows, t.Billed, t.Effective)
	}
	for _, d := range r.Doubled {
		fmt.Println("  Attention: " + d.Text())
	}
	for i, bad := range r.Rejections {
		if i == 10 {
			fmt.Println("  … and more")
			break
		}
		fmt.Printf("  row %d, %s: %s (%q)\n", bad.Row, bad.Column, bad.Reason, bad.Value)
	}
	return nil
}
