// Command benchmark tells how far the probabilities of budgets can be relied on: it sets budgets on the past of public series, has
// them judged with what was known on some day of their period, and looks at how the period ended.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"text/tabwriter"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	dir := flags.String("data", "", "folder that holds forecast/ with one NAME_daily.csv.gz per set, cost_synth/, or both")
	every := flags.Int("every", 1, "judge every n-th series only")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sets, err := read(*dir)
	if err != nil {
		return err
	}
	if len(sets) == 0 {
		return fmt.Errorf("no daily series in %q: name the folder with -data", *dir)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "set\tperiod\tjudged\tBrier skill\t0-.1\t.1-.3\t.3-.5\t.5-.7\t.7-.9\t.9-1\tin 80 %\tin 95 %\tbreak days in 80 %\tof so many\t")
	all := map[budget.Cadence]*score{}
	for _, s := range sets {
		for _, c := range budget.Cadences {
			r := judged(s.series, c, max(1, *every))
			r.row(w, s.name, c)
			if all[c] == nil {
				all[c] = &score{}
			}
			all[c].add(r)
		}
	}
	for _, c := range budget.Cadences {
		all[c].row(w, "all", c)
	}
	return w.Flush()
}

// judged scores every n-th series on all cores.
func judged(all []cost.Series, c budget.Cadence, every int) score {
	var chosen []cost.Series
	for i := 0; i < len(all); i += every {
		chosen = append(chosen, all[i])
	}
	each := make([]score, len(chosen))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				each[i] = judge(chosen[i], c)
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	wg.Wait()
	var sum score
	for _, r := range each {
		sum.add(r)
	}
	return sum
}
