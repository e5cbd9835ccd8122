package stepfunctions

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// rule is a choice rule: a comparison of a variable, or And, Or and Not of rules.
type rule struct {
	variable string
	operator string // of a comparison: StringEquals, IsPresent ...
	operand  any
	and, or  []*rule
	not      *rule
	next     string
	assign   dynamic
	problems []string
}

// UnmarshalJSON reads a rule; what is wrong with it is kept for the linter.
func (r *rule) UnmarshalJSON(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name, value := range fields {
		var err error
		switch name {
		case "Variable":
			err = json.Unmarshal(value, &r.variable)
		case "Next":
			err = json.Unmarshal(value, &r.next)
		case "Assign":
			err = json.Unmarshal(value, &r.assign)
		case "And":
			err = json.Unmarshal(value, &r.and)
		case "Or":
			err = json.Unmarshal(value, &r.or)
		case "Not":
			err = json.Unmarshal(value, &r.not)
		case "Comment":
		default:
			if r.operator != "" {
				r.problems = append(r.problems, "a comparison has one operator, not both "+r.operator+" and "+name)
			}
			r.operator = name
			r.operand, err = decode(value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// holds evaluates the rule.
func (r *rule) holds(s scope) (bool, *failure) {
	switch {
	case r.and != nil:
		return every(s, r.and, true)
	case r.or != nil:
		return every(s, r.or, false)
	case r.not != nil:
		ok, f := r.not.holds(s)
		return !ok && f == nil, f
	}
	v, found := s.find(r.variable)
	if r.operator == "IsPresent" {
		return found == (r.operand == true), nil
	}
	if !found {
		return false, failed(errRuntime, "The choice's Variable '%s' names nothing in the input.", r.variable)
	}
	return r.compare(s, v)
}

// every is And when sign is true and Or when it is false: the first rule that gives the other value decides.
func every(s scope, rules []*rule, sign bool) (bool, *failure) {
	for _, r := range rules {
		if ok, f := r.holds(s); f != nil || ok != sign {
			return ok && f == nil, f
		}
	}
	return sign, nil
}

func (r *rule) compare(s scope, v any) (bool, *failure) {
	if test, ok := typeTests[r.operator]; ok {
		return test(v) == (r.operand == true), nil
	}
	operator, operand := r.operator, r.operand
	if plain, ok := strings.CutSuffix(operator, "Path"); ok {
		text, _ := operand.(string)
		var found bool
		if operand, found = s.find(text); !found {
			return false, failed(errRuntime, "The choice's %s '%s' names nothing in the input.", r.operator, text)
		}
		operator = plain
	}
	return comparisons[operator](v, operand), nil
}

// typeTests are the operators whose operand is true or false.
var typeTests = map[string]func(v any) bool{
	"IsNull":    func(v any) bool { return v == nil },
	"IsString":  func(v any) bool { _, ok := v.(string); return ok },
	"IsNumeric": func(v any) bool { _, ok := asFloat(v); return ok },
	"IsBoolean": func(v any) bool { _, ok := v.(bool); return ok },
	"IsTimestamp": func(v any) bool {
		_, ok := asTime(v)
		return ok
	},
}

// comparisons are the other operators. Values of another type than the operator's never match.
var comparisons = func() map[string]func(v, operand any) bool {
	all := map[string]func(v, operand any) bool{
		"BooleanEquals": func(v, operand any) bool {
			x, ok1 := v.(bool)
			y, ok2 := operand.(bool)
			return ok1 && ok2 && x == y
		},
		"StringMatches": func(v, operand any) bool {
			text, ok1 := v.(string)
			pattern, ok2 := operand.(string)
			return ok1 && ok2 && wildcard(pattern, text)
		},
	}
	orders := map[string]func(v, operand any) (int, bool){"String": compareStrings, "Numeric": compareNumbers, "Timestamp": compareTimes}
	signs := map[string]func(c int) bool{
		"Equals":            func(c int) bool { return c == 0 },
		"LessThan":          func(c int) bool { return c < 0 },
		"GreaterThan":       func(c int) bool { return c > 0 },
		"LessThanEquals":    func(c int) bool { return c <= 0 },
		"GreaterThanEquals": func(c int) bool { return c >= 0 },
	}
	for kind, order := range orders {
		for sign, test := range signs {
			all[kind+sign] = func(v, operand any) bool {
				c, ok := order(v, operand)
				return ok && test(c)
			}
		}
	}
	return all
}()

func compareStrings(v, operand any) (int, bool) {
	x, ok1 := v.(string)
	y, ok2 := operand.(string)
	return strings.Compare(x, y), ok1 && ok2
}

func compareNumbers(v, operand any) (int, bool) {
	x, ok1 := v.(int64)
	y, ok2 := operand.(int64)
	if ok1 && ok2 {
		return cmp.Compare(x, y), true
	}
	a, ok1 := asFloat(v)
	b, ok2 := asFloat(operand)
	return cmp.Compare(a, b), ok1 && ok2
}

func compareTimes(v, operand any) (int, bool) {
	x, ok1 := asTime(v)
	y, ok2 := asTime(operand)
	return x.Compare(y), ok1 && ok2
}

// asTime reads a timestamp: RFC 3339 with an upper-case T and Z.
func asTime(v any) (time.Time, bool) {
	text, ok := v.(string)
	if !ok || strings.ContainsAny(text, "tz") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

// wildcard matches a pattern in which * stands for any characters, none included; \* and \\ are plain.
func wildcard(pattern, text string) bool {
	var expr strings.Builder
	expr.WriteString(`(?s)\A`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*':
			expr.WriteString(".*")
			continue
		case c == '\\' && i+1 < len(pattern):
			i++
		}
		expr.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
	}
	expr.WriteString(`\z`)
	re, err := regexp.Compile(expr.String())
	return err == nil && re.MatchString(text)
}
