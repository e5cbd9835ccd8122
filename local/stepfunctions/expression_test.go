package stepfunctions

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const document = `{"n": 3, "f": 2.5, "s": "Ada", "yes": true, "nil": null, "a-b": 7, "x y": 8, "day": "2026-03-01T00:00:00Z",
	"text": "{\"k\":[1,2]}", "list": [1, 2, 2, 3], "rows": [{"k": 1, "v": "one"}, {"k": 2, "v": "two"}],
	"o": {"p": {"q": 1}}, "split": "This.is+a,test=string", "big": 12345678901234567890123}`

func documentScope(t *testing.T) scope {
	t.Helper()
	v, err := decode([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return scope{
		document: v, context: func() any { return map[string]any{"Execution": map[string]any{"Name": "run"}} },
		variables: map[string]any{"kept": map[string]any{"deep": "var"}},
	}
}

// intrinsics are calls on the document with what they give.
var intrinsics = []struct{ call, want string }{
	{`States.Format('Hello {}, {} is {}', $.s, $.n, $.yes)`, `"Hello Ada, 3 is true"`},
	{`States.Format('{}, {}', $.f, $.nil)`, `"2.5, null"`},
	{`States.Format('{}', States.Format('inner {}', $.s))`, `"inner Ada"`},
	{`States.Format('nothing')`, `"nothing"`},
	{`States.StringToJson($.text)`, `{"k": [1, 2]}`},
	{`States.JsonToString($.rows)`, `"[{\"k\":1,\"v\":\"one\"},{\"k\":2,\"v\":\"two\"}]"`},
	{`States.Array($.s, 1, 'two', true, $.list[0])`, `["Ada", 1, "two", true, 1]`},
	{`States.Array()`, `[]`},
	{`States.ArrayPartition($.list, 3)`, `[[1, 2, 2], [3]]`},
	{`States.ArrayContains($.list, 2)`, `true`},
	{`States.ArrayContains($.list, 'x')`, `false`},
	{`States.ArrayRange(1, 9, 2)`, `[1, 3, 5, 7, 9]`},
	{`States.ArrayRange(1, 1, 1)`, `[1]`},
	{`States.ArrayGetItem($.list, 3)`, `3`},
	{`States.ArrayLength($.list)`, `4`},
	{`States.ArrayUnique($.list)`, `[1, 2, 3]`},
	{`States.Base64Encode('Data to encode')`, `"RGF0YSB0byBlbmNvZGU="`},
	{`States.Base64Decode('RGF0YSB0byBlbmNvZGU=')`, `"Data to encode"`},
	{`States.Hash('input data', 'SHA-1')`, `"aaff4a450a104cd177d28d18d74485e8cae074b7"`},
	{`States.Hash('a', 'MD5')`, `"0cc175b9c0f1b6a831c399e269772661"`},
	{`States.Hash('a', 'SHA-256')`, `"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"`},
	{`States.JsonMerge($.o, $.rows[0], false)`, `{"p": {"q": 1}, "k": 1, "v": "one"}`},
	{`States.MathAdd($.n, -1)`, `2`},
	{`States.StringSplit($.split, '.+,=')`, `["This", "is", "a", "test", "string"]`},
	{`States.StringSplit('1,,2', ',')`, `["1", "2"]`},
	{`States.ArrayLength(States.StringSplit('a-b-c', '-'))`, `3`},
	{`States.Format('{}', $.rows[?(@.k==2)].v)`, `"[two]"`},
}

func TestIntrinsics(t *testing.T) {
	t.Parallel()
	for _, c := range intrinsics {
		got, fail := documentScope(t).call(c.call)
		want, err := decode([]byte(c.want))
		if fail != nil || err != nil || !equal(got, want) {
			t.Errorf("%s\n gives %s %v\n want  %s", c.call, encode(got), fail, c.want)
		}
	}
	for text, want := range map[string]string{ // beside the oracle: it reads these otherwise, or not at all
		`States.Hash('a', 'SHA-384')`:                                     `"54a59b9f22b0b80880d8427e548b7c23abd873486e1f035dce9cd697e85175033caa88e6d57bc35efae0b5afd3145f31"`,
		`States.Hash('a', 'SHA-512')`:                                     `"1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f5302860c652bf08d560252aa5e74210546f369fbbbce8c12cfc7957b2652fe9a75"`,
		`States.Format('it\'s {}', $.n)`:                                  `"it's 3"`,
		`States.Array(null, $.nil)`:                                       `[null, null]`,
		`States.ArrayRange(5, 1, -2)`:                                     `[5, 3, 1]`,
		`States.MathAdd(1.5, -2.5)`:                                       `0`,
		`States.Format('{}', $.o)`:                                        `"{p={q=1}}"`,
		`States.Format('{}: {}', $$.Execution.Name, $kept.deep)`:          `"run: var"`,
		`States.ArrayLength(States.ArrayRange(1, 1000, 1))`:               `1000`,
		`States.ArrayContains($.rows, States.ArrayGetItem($.rows, 1))`:    `true`,
		`States.Base64Decode(States.Base64Encode(States.Format('{}',1)))`: `"1"`,
	} {
		got, fail := documentScope(t).call(text)
		if v, err := decode([]byte(want)); fail != nil || err != nil || !equal(got, v) {
			t.Errorf("%s gives %s %v, want %s", text, encode(got), fail, want)
		}
	}
}

func TestIntrinsicsThatAreRandomStayInTheirBounds(t *testing.T) {
	t.Parallel()
	s := documentScope(t)
	seen := map[string]bool{}
	for range 200 {
		v, fail := s.call(`States.MathRandom(1, 4)`)
		if n, ok := v.(int64); fail != nil || !ok || n < 1 || n > 3 {
			t.Fatalf("MathRandom gives %v %v", v, fail)
		}
		seen[string(encode(v))] = true
	}
	if len(seen) != 3 {
		t.Errorf("MathRandom gives only %v", seen)
	}
	a, _ := s.call(`States.MathRandom(1, 1000000, 7)`)
	b, _ := s.call(`States.MathRandom(1, 1000000, 7)`)
	if a != b {
		t.Errorf("the same seed gives %v and %v", a, b)
	}
	u, _ := s.call(`States.UUID()`)
	v, _ := s.call(`States.UUID()`)
	if text, ok := u.(string); !ok || len(text) != 36 || u == v {
		t.Errorf("UUID gives %v and %v", u, v)
	}
}

func TestIntrinsicsFailAsIntrinsics(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`States.Format('{} {}', 1)`, `States.Format('{}', 1, 2)`, `States.Format(1)`, `States.StringToJson('{')`, `States.StringToJson(1)`,
		`States.ArrayPartition($.list, 0)`, `States.ArrayPartition(1, 1)`, `States.ArrayRange(1, 2, 0)`, `States.ArrayRange(1, 1001, 1)`,
		`States.ArrayGetItem($.list, 4)`, `States.ArrayGetItem($.list, -1)`, `States.ArrayLength('abc')`, `States.Base64Decode('?')`,
		`States.Hash('a', 'CRC')`, `States.Hash(1, 'MD5')`, `States.JsonMerge($.o, 1, false)`, `States.JsonMerge($.o, $.o, true)`,
		`States.MathAdd('1', 1)`, `States.MathRandom(2, 2)`, `States.StringSplit(1, ',')`, `States.ArrayLength($.nope)`,
		`States.Base64Encode('` + strings.Repeat("x", mostChars+1) + `')`, `States.ArrayUnique($.s)`, `States.ArrayContains($.s, 1)`,
	} {
		if v, fail := documentScope(t).call(text); fail == nil || fail.Name != errIntrinsic {
			t.Errorf("%s gives %v %v", text, v, fail)
		}
	}
}

func TestIntrinsicSyntaxIsChecked(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `Format('x')`, `States.Nope()`, `States.UUID(1)`, `States.MathAdd(1)`, `States.Format('x'`, `States.Format('x)`, `States.Format('x',)`,
		`States.Array(1 2)`, `States.Array($.a[)`, `States.UUID() x`, `States.Array(abc)`, `States.Array("x")`,
	} {
		if _, err := parseCall(text); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

// found are paths into the document with what they give; nothing for a path that names nothing.
var found = []struct{ path, want string }{
	{`$.s`, `"Ada"`},
	{`$.nil`, `null`},
	{`$.a-b`, `7`},
	{`$['x y']`, `8`},
	{`$.rows[0].v`, `"one"`},
	{`$.rows[1]['v']`, `"two"`},
	{`$.rows[*].v`, `["one", "two"]`},
	{`$.rows[?(@.k > 1)].v`, `["two"]`},
	{`$.rows[?(@.k > 5)]`, `[]`},
	{`$..q`, `[1]`},
	{`$.list[1:3]`, `[2, 2]`},
	{`$.list[0,3]`, `[1, 3]`},
	{`$.list[-1:]`, `[3]`},
	{`$.o.*`, `[{"q": 1}]`},
	{`$.nope`, ``},
	{`$.nope[*]`, ``},
	{`$.list[9]`, ``},
	{`$.s.t`, ``},
	{`$.o.p.q`, `1`},
	{`$.big`, `12345678901234567890123`},
	{`$$.Execution.Name`, `"run"`},
	{`$$.Nope`, ``},
	{`$kept.deep`, `"var"`},
	{`$lost`, ``},
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for _, c := range found {
		got, ok := documentScope(t).find(c.path)
		if c.want == "" {
			if ok {
				t.Errorf("%s gives %s, want nothing", c.path, encode(got))
			}
			continue
		}
		want, err := decode([]byte(c.want))
		if err != nil || !ok || !equal(got, want) {
			t.Errorf("%s gives %s %v, want %s", c.path, encode(got), ok, c.want)
		}
	}
	for range 20 { // never in the order that a map happens to have
		if got, _ := documentScope(t).find(`$.rows[0].*`); string(encode(got)) != `[1,"one"]` {
			t.Fatalf("$.rows[0].* gives %s", encode(got))
		}
	}
}

func TestPathSyntaxIsChecked(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `s`, `@.s`, `$.`, `$[`, `$.a b`, `$.list.length()`, `$$a`, `$.a]b`} {
		if _, err := compile(text); err == nil {
			t.Errorf("%q is accepted as a path", text)
		}
	}
	for _, text := range []string{`$.a[*]`, `$..a`, `$.a[0:1]`, `$.a[?(@.b)]`, `$.a[0,1]`} {
		if _, err := compileReference(text); err == nil {
			t.Errorf("%q is accepted as a reference path", text)
		}
	}
}

func TestResultsGoWhereTheirPathSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, path, want string }{
		{`{"a": 1}`, `$`, `"R"`},
		{`{"a": 1}`, `$.b`, `{"a": 1, "b": "R"}`},
		{`{"a": 1}`, `$.a`, `{"a": "R"}`},
		{`{"a": 1}`, `$.b.c.d`, `{"a": 1, "b": {"c": {"d": "R"}}}`},
		{`{"a": {"x": 1}}`, `$.a.y`, `{"a": {"x": 1, "y": "R"}}`},
		{`{"a": [1, 2]}`, `$.a[1]`, `{"a": [1, "R"]}`},
		{`{"a": null}`, `$.a.b`, `{"a": {"b": "R"}}`},
		{`{"a": [1, 2]}`, `$.a[2]`, ``},
		{`{"a": 1}`, `$.a.b`, ``},
		{`[1]`, `$.b`, ``},
		{`"text"`, `$.b`, ``},
	} {
		in, err := decode([]byte(c.in))
		if err != nil {
			t.Fatal(err)
		}
		before := string(encode(in))
		got, ok := put(in, c.path, "R")
		if c.want == "" {
			if ok {
				t.Errorf("%s into %s gives %s, want a failure", c.path, c.in, encode(got))
			}
			continue
		}
		want, err := decode([]byte(c.want))
		if err != nil || !ok || !equal(got, want) {
			t.Errorf("%s into %s gives %s, want %s", c.path, c.in, encode(got), c.want)
		}
		if string(encode(in)) != before {
			t.Errorf("%s changed its input to %s", c.path, encode(in))
		}
	}
}

// rules are choice rules on the document.
var rules = []struct {
	rule string
	want bool
}{
	{`{"Variable": "$.s", "StringEquals": "Ada"}`, true},
	{`{"Variable": "$.n", "StringEquals": "3"}`, false},
	{`{"Variable": "$.s", "StringLessThan": "Bob"}`, true},
	{`{"Variable": "$.s", "StringGreaterThan": "Ada"}`, false},
	{`{"Variable": "$.s", "StringLessThanEquals": "Ada"}`, true},
	{`{"Variable": "$.s", "StringGreaterThanEquals": "Adb"}`, false},
	{`{"Variable": "$.s", "StringEqualsPath": "$.rows[0].v"}`, false},
	{`{"Variable": "$.s", "StringMatches": "A*a"}`, true},
	{`{"Variable": "$.s", "StringMatches": "*"}`, true},
	{`{"Variable": "$.s", "StringMatches": "A"}`, false},
	{`{"Variable": "$.n", "NumericEquals": 3.0}`, true},
	{`{"Variable": "$.n", "NumericLessThan": 3}`, false},
	{`{"Variable": "$.f", "NumericGreaterThan": 2}`, true},
	{`{"Variable": "$.n", "NumericLessThanEquals": 3}`, true},
	{`{"Variable": "$.f", "NumericGreaterThanEquals": 2.6}`, false},
	{`{"Variable": "$.f", "NumericLessThanPath": "$.n"}`, true},
	{`{"Variable": "$.s", "NumericEquals": 3}`, false},
	{`{"Variable": "$.yes", "BooleanEquals": true}`, true},
	{`{"Variable": "$.yes", "BooleanEqualsPath": "$.yes"}`, true},
	{`{"Variable": "$.day", "TimestampEquals": "2026-03-01T00:00:00Z"}`, true},
	{`{"Variable": "$.day", "TimestampLessThan": "2026-03-01T00:00:01Z"}`, true},
	{`{"Variable": "$.day", "TimestampGreaterThan": "2026-03-01T00:00:00Z"}`, false},
	{`{"Variable": "$.day", "TimestampLessThanEquals": "2026-02-01T00:00:00Z"}`, false},
	{`{"Variable": "$.day", "TimestampGreaterThanEqualsPath": "$.day"}`, true},
	{`{"Variable": "$.nil", "IsNull": true}`, true},
	{`{"Variable": "$.n", "IsNull": false}`, true},
	{`{"Variable": "$.nope", "IsPresent": false}`, true},
	{`{"Variable": "$.nil", "IsPresent": true}`, true},
	{`{"Variable": "$.n", "IsNumeric": true}`, true},
	{`{"Variable": "$.n", "IsString": true}`, false},
	{`{"Variable": "$.yes", "IsBoolean": true}`, true},
	{`{"Variable": "$.day", "IsTimestamp": true}`, true},
	{`{"Variable": "$.s", "IsTimestamp": true}`, false},
	{`{"And": [{"Variable": "$.n", "NumericEquals": 3}, {"Variable": "$.s", "IsString": true}]}`, true},
	{`{"And": [{"Variable": "$.nope", "IsPresent": true}, {"Variable": "$.nope", "NumericEquals": 1}]}`, false},
	{`{"Or": [{"Variable": "$.n", "NumericEquals": 4}, {"Variable": "$.s", "StringEquals": "Ada"}]}`, true},
	{`{"Not": {"Variable": "$.n", "NumericEquals": 3}}`, false},
	{`{"Not": {"And": [{"Variable": "$.yes", "BooleanEquals": false}, {"Variable": "$.yes", "BooleanEquals": true}]}}`, true},
}

func TestChoiceRules(t *testing.T) {
	t.Parallel()
	for _, c := range rules {
		var r rule
		if err := json.Unmarshal([]byte(c.rule), &r); err != nil {
			t.Fatalf("%s: %v", c.rule, err)
		}
		if got, fail := r.holds(documentScope(t)); got != c.want || fail != nil {
			t.Errorf("%s gives %v %v, want %v", c.rule, got, fail, c.want)
		}
	}
	for _, text := range []string{
		`{"Variable": "$.nope", "NumericEquals": 1}`, `{"Variable": "$.n", "NumericEqualsPath": "$.nope"}`, `{"Not": {"Variable": "$.nope", "IsNull": true}}`,
	} {
		var r rule
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if ok, fail := r.holds(documentScope(t)); ok || fail == nil || fail.Name != errRuntime {
			t.Errorf("%s gives %v %v, want %s", text, ok, fail, errRuntime)
		}
	}
}

func TestWildcards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`*.log`, `a.log`, true}, {`*.log`, `a.logs`, false}, {`a*b*c`, `a--b--c`, true}, {`\*`, `*`, true}, {`\*`, `x`, false},
		{`\\`, `\`, true}, {`a.c`, `abc`, false}, {``, ``, true}, {`*`, "a\nb", true}, {`é*`, `éa`, true},
	} {
		if got := wildcard(c.pattern, c.text); got != c.want {
			t.Errorf("%q on %q gives %v", c.pattern, c.text, got)
		}
	}
}

// expressionMachine evaluates all intrinsics and choice rules in one execution, for the oracle.
func expressionMachine(t *testing.T) specCase {
	t.Helper()
	parameters, results := map[string]any{}, map[string]any{}
	for i, c := range intrinsics {
		parameters[fmt.Sprintf("i%d.$", i)] = c.call
		results[fmt.Sprintf("i%d", i)] = json.RawMessage(c.want)
	}
	states := map[string]any{}
	want := map[string]any{}
	for i, c := range rules {
		name, next := fmt.Sprintf("rule %d", i), fmt.Sprintf("rule %d", i+1)
		var r map[string]any
		if err := json.Unmarshal([]byte(c.rule), &r); err != nil {
			t.Fatal(err)
		}
		r["Next"] = name + " holds"
		states[name] = map[string]any{"Type": "Choice", "Choices": []any{r}, "Default": name + " fails"}
		for outcome, value := range map[string]bool{" holds": true, " fails": false} {
			states[name+outcome] = map[string]any{"Type": "Pass", "Result": value, "ResultPath": fmt.Sprintf("$.out.r%d", i), "Next": next}
		}
		want[fmt.Sprintf("r%d", i)] = c.want
	}
	states[fmt.Sprintf("rule %d", len(rules))] = map[string]any{"Type": "Pass", "Parameters": parameters, "ResultPath": "$.out.i", "Next": "end"}
	states["end"] = map[string]any{"Type": "Succeed", "OutputPath": "$.out"}
	want["i"] = results
	definition, err := json.Marshal(map[string]any{"StartAt": "rule 0", "States": states})
	if err != nil {
		t.Fatal(err)
	}
	output, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	return specCase{Name: "expressions", Definition: definition, Input: json.RawMessage(document), Output: output}
}
