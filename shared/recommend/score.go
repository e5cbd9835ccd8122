package recommend

import (
	"fmt"
	"math"
	"strings"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Weights of a score's four factors; together 100.
const (
	savingsWeight    = 40
	effortWeight     = 20
	riskWeight       = 20
	confidenceWeight = 20
)

// fullMark is the monthly saving from which on the factor savings has all its points: in US dollars, and in another currency times
// its magnitude.
const fullMark = 10_000

// score ranks a recommendation. Points for savings grow with the logarithm, so that ten times the saving is always worth ten
// points more; the other three factors are shares of their weight.
func score(group []*candidate, monthly cost.Money, c Calibration, rolledBack bool) Score {
	factors := []Factor{savingsFactor(monthly), effortFactor(group), riskFactor(group), confidenceFactor(group, c, rolledBack)}
	total := 0.0
	for i := range factors {
		factors[i].Points = math.Round(10*factors[i].Points) / 10
		total += factors[i].Points
	}
	return Score{Total: math.Round(10*total) / 10, Factors: factors}
}

func savingsFactor(monthly cost.Money) Factor {
	amount, unit := monthly.Float(), magnitude(monthly.Currency)
	share := math.Log10(max(amount/float64(unit), 1)) / math.Log10(fullMark)
	return Factor{"savings", savingsWeight, savingsWeight * min(share, 1),
		fmt.Sprintf("It saves %.2f a month; %d or more would have all points.", amount, fullMark*unit)}
}

func effortFactor(group []*candidate) Factor {
	r := group[0].rule.Effort
	return Factor{"effort", effortWeight, effortWeight * r.Share, r.Text}
}

// riskFactor starts from how well the change can be undone and takes off for what it can disturb.
func riskFactor(group []*candidate) Factor {
	rule := group[0].rule
	share, texts := rule.Undo.Share, []string{rule.Undo.Text}
	if rule.Disturbance > 0 && environment(group) == production {
		share -= rule.Disturbance
		texts = append(texts, "It touches production.")
	}
	if load, known := highestLoad(group); known {
		const comfortable = 50.0
		share -= 0.2 * max(0, load-comfortable) / (100 - comfortable)
		texts = append(texts, fmt.Sprintf("Afterwards the busiest target uses %.0f %% of what it then has.", load))
	}
	return Factor{"risk", riskWeight, riskWeight * max(share, 0), strings.Join(texts, " ")}
}

const production = "production"

// environment is the most delicate one that the tags of the targets name; a target that names none may be production.
func environment(group []*candidate) string {
	for _, c := range group {
		switch strings.ToLower(c.resource.Tags["environment"]) {
		case "production", "prod", "live", "":
			return production
		}
	}
	return strings.ToLower(group[0].resource.Tags["environment"])
}

func highestLoad(group []*candidate) (load float64, known bool) {
	for _, c := range group {
		if c.load != nil {
			load, known = max(load, *c.load), true
		}
	}
	return load, known
}

// confidenceFactor weighs how long was observed, what the saving rests on and how earlier executions ended.
func confidenceFactor(group []*candidate, c Calibration, rolledBack bool) Factor {
	days, doubts, listed := group[0].days, map[string]bool{}, false
	for _, t := range group {
		days = min(days, t.days)
		listed = listed || t.source != FromBill
		for _, d := range t.doubts {
			doubts[d] = true
		}
	}
	share := 0.6 + 0.4*min(float64(days), Window)/Window
	texts := []string{fmt.Sprintf("Observed for %d days.", days)}
	if listed {
		share -= 0.15
		texts = append(texts, "The saving rests on list prices.")
	} else {
		texts = append(texts, "The saving rests on your own bill.")
	}
	for _, d := range sortedKeys(doubts) {
		share -= 0.15
		texts = append(texts, "Not certain: "+d+".")
	}
	share *= c.SuccessRate
	if c.Executions > 0 {
		share *= 1 - min(math.Abs(1-c.SavingsRatio), 0.5)
		texts = append(texts, fmt.Sprintf("%d earlier executions: %.0f %% succeeded, and %.0f %% of the estimate was saved.", c.Executions, 100*c.SuccessRate, 100*c.SavingsRatio))
	} else {
		texts = append(texts, "Nothing like it has been executed yet.")
	}
	if rolledBack {
		share /= 2
		texts = append(texts, "It has been tried and rolled back.")
	}
	return Factor{"confidence", confidenceWeight, confidenceWeight * max(share, 0), strings.Join(texts, " ")}
}
