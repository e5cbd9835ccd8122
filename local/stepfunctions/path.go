package stepfunctions

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ohler55/ojg/jp"
)

// scope is what the paths of a state may speak of: $ is the document, $$ the context object, $name a variable.
type scope struct {
	document  any
	context   func() any // made when asked for
	variables map[string]any
}

// path is a compiled JSONPath.
type path struct {
	context  bool
	variable string // name of the variable it starts at
	expr     jp.Expr
	definite bool    // it names one place, so finding nothing is a failure
	stem     jp.Expr // the definite beginning of an indefinite path: it must exist
	unsorted bool    // it may walk the members of an object, whose order must not be left to chance
}

var (
	paths        sync.Map // text to *path
	variableName = regexp.MustCompile(`^\$([A-Za-z_][A-Za-z0-9_]*)`)
	bareName     = regexp.MustCompile(`\.([\pL\pN_]*-[\pL\pN_-]*)`)
)

// compile parses a path once.
func compile(text string) (*path, error) {
	if p, ok := paths.Load(text); ok {
		if p, ok := p.(*path); ok {
			return p, nil
		}
	}
	p := &path{definite: true}
	rest := text
	if m := variableName.FindStringSubmatch(text); m != nil {
		p.variable, rest = m[1], "$"+text[len(m[0]):]
	} else if strings.HasPrefix(text, "$$") {
		p.context, rest = true, text[1:]
	}
	if rest != "$" && !strings.HasPrefix(rest, "$.") && !strings.HasPrefix(rest, "$[") {
		return nil, fmt.Errorf("%q is not a path: it must start with $, $$ or $variable", text)
	}
	expr, err := jp.ParseString(quoteNames(rest))
	if err != nil {
		return nil, fmt.Errorf("%q is not a path: %w", text, err)
	}
	p.expr = expr
	for i, f := range expr {
		switch f.(type) {
		case jp.Root, jp.Child, jp.Nth:
			continue
		case jp.Wildcard, jp.Descent, *jp.Filter:
			p.unsorted = true
		}
		if p.definite {
			p.definite, p.stem = false, expr[:i]
		}
	}
	paths.Store(text, p)
	return p, nil
}

// quoteNames puts names with hyphens, which JSONPath allows after a dot, into brackets, where the parser reads them.
func quoteNames(text string) string {
	var out strings.Builder
	for text != "" {
		at := strings.IndexAny(text, "['")
		if at < 0 {
			at = len(text)
		}
		out.WriteString(bareName.ReplaceAllString(text[:at], "['$1']"))
		end := at + closing(text[at:])
		out.WriteString(text[at:end])
		text = text[end:]
	}
	return out.String()
}

// closing is the length of the bracket that text starts with, quotes and inner brackets included.
func closing(text string) int {
	depth, quote := 0, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote && text[i-1] != '\\' {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '[':
			depth++
		case c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// compileReference parses a reference path: one that names exactly one place, by names and indexes.
func compileReference(text string) (*path, error) {
	p, err := compile(text)
	if err != nil {
		return nil, err
	}
	if !p.definite {
		return nil, fmt.Errorf("%q is not a reference path: it may select more than one value", text)
	}
	return p, nil
}

// find evaluates a path. A definite path that names nothing is not found; an indefinite one gives a list, which may be
// empty, unless its definite beginning names nothing.
func (s scope) find(text string) (any, bool) {
	p, err := compile(text)
	if err != nil {
		return nil, false // Lint keeps such definitions out
	}
	doc := s.document
	switch {
	case p.context:
		doc = s.context()
	case p.variable != "":
		v, ok := s.variables[p.variable]
		if !ok {
			return nil, false
		}
		doc = v
	}
	if p.definite {
		return p.expr.FirstFound(doc)
	}
	if _, ok := p.stem.FirstFound(doc); !ok {
		return nil, false
	}
	if !p.unsorted {
		return list(p.expr.Get(doc)), true
	}
	found := p.expr.Locate(doc, 0)
	slices.SortStableFunc(found, comparePlaces)
	all := []any{}
	for _, place := range found {
		all = append(all, place.First(doc))
	}
	return all, true
}

func list(v []any) []any {
	if v == nil {
		return []any{}
	}
	return v
}

// comparePlaces orders places in a document: members by name, items by index.
func comparePlaces(a, b jp.Expr) int {
	for i := range min(len(a), len(b)) {
		switch x := a[i].(type) {
		case jp.Child:
			if y, ok := b[i].(jp.Child); ok && x != y {
				return strings.Compare(string(x), string(y))
			}
		case jp.Nth:
			if y, ok := b[i].(jp.Nth); ok && x != y {
				return cmp.Compare(x, y)
			}
		}
	}
	return cmp.Compare(len(a), len(b))
}

// put gives the document with value at the reference path, making objects on the way where there is nothing. The document
// itself stays as it is. It reports false when something else stands in the way.
func put(document any, reference string, value any) (any, bool) {
	p, err := compileReference(reference)
	if err != nil || p.context || p.variable != "" {
		return nil, false
	}
	return putAt(document, p.expr[1:], value)
}

func putAt(document any, where jp.Expr, value any) (any, bool) {
	if len(where) == 0 {
		return value, true
	}
	switch f := where[0].(type) {
	case jp.Child:
		object, ok := document.(map[string]any)
		if !ok && document != nil {
			return nil, false
		}
		inner, ok := putAt(object[string(f)], where[1:], value)
		if !ok {
			return nil, false
		}
		changed := maps.Clone(object)
		if changed == nil {
			changed = map[string]any{}
		}
		changed[string(f)] = inner
		return changed, true
	case jp.Nth:
		items, ok := document.([]any)
		if !ok || int(f) < 0 || int(f) >= len(items) {
			return nil, false
		}
		inner, ok := putAt(items[f], where[1:], value)
		if !ok {
			return nil, false
		}
		changed := slices.Clone(items)
		changed[f] = inner
		return changed, true
	}
	return nil, false
}
