package stepfunctions

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// call is a parsed intrinsic function with its arguments.
type call struct {
	name      string
	arguments []argument
}

// argument is one of a literal, a path and a nested call.
type argument struct {
	literal any
	path    string
	call    *call
}

// raw is a string literal with its escapes as written: States.Format tells \{ from {.
type raw string

func (r raw) text() string {
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\{`, `{`, `\}`, `}`).Replace(string(r))
}

var (
	calls        sync.Map // text to *call
	functionName = regexp.MustCompile(`^States\.[A-Za-z0-9]+\(`)
	numberText   = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`)
)

// parseCall parses an intrinsic function once, and checks its name and number of arguments.
func parseCall(text string) (*call, error) {
	if c, ok := calls.Load(text); ok {
		if c, ok := c.(*call); ok {
			return c, nil
		}
	}
	p := &callParser{rest: strings.TrimSpace(text)}
	c, err := p.call()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("%q follows the function", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not an intrinsic function: %w", text, err)
	}
	calls.Store(text, c)
	return c, nil
}

type callParser struct{ rest string }

func (p *callParser) call() (*call, error) {
	head := functionName.FindString(p.rest)
	if head == "" {
		return nil, errors.New("it must read States.Name(arguments)")
	}
	c := &call{name: strings.TrimSuffix(strings.TrimPrefix(head, "States."), "(")}
	known, ok := functions[c.name]
	if !ok {
		return nil, fmt.Errorf("there is no States.%s", c.name)
	}
	p.rest = p.rest[len(head):]
	for !p.eat(")") {
		if len(c.arguments) > 0 && !p.eat(",") {
			return nil, errors.New("a comma or a closing parenthesis is missing")
		}
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		c.arguments = append(c.arguments, a)
	}
	if n := len(c.arguments); n < known.least || n > known.most {
		return nil, fmt.Errorf("the function States.%s takes %s, not %d", c.name, known.arity(), n)
	}
	return c, nil
}

// eat skips blanks and then the sign, if it comes next.
func (p *callParser) eat(sign string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	rest, ok := strings.CutPrefix(p.rest, sign)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *callParser) argument() (argument, error) {
	p.eat("")
	switch {
	case strings.HasPrefix(p.rest, "'"):
		return p.text()
	case strings.HasPrefix(p.rest, "$"):
		text := strings.TrimSpace(p.take(pathEnd(p.rest)))
		_, err := compile(text)
		return argument{path: text}, err
	case strings.HasPrefix(p.rest, "States."):
		c, err := p.call()
		return argument{call: c}, err
	}
	for word, v := range map[string]any{"true": true, "false": false, "null": nil} {
		if strings.HasPrefix(p.rest, word) {
			p.take(len(word))
			return argument{literal: v}, nil
		}
	}
	if n := numberText.FindString(p.rest); n != "" {
		p.take(len(n))
		v, err := decode([]byte(n))
		return argument{literal: v}, err
	}
	return argument{}, fmt.Errorf("no argument starts at %q", p.rest)
}

func (p *callParser) take(n int) string {
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

func (p *callParser) text() (argument, error) {
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '\'':
			text := p.take(i + 1)
			return argument{literal: raw(text[1 : len(text)-1])}, nil
		}
	}
	return argument{}, errors.New("a string has no end")
}

// pathEnd finds where a path among arguments ends: at a comma or parenthesis outside brackets.
func pathEnd(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '[':
			i += closing(text[i:]) - 1
		case ',', ')':
			return i
		}
	}
	return len(text)
}

// call evaluates the text of an intrinsic function.
func (s scope) call(text string) (any, *failure) {
	c, err := parseCall(text)
	if err != nil {
		return nil, failed(errIntrinsic, "%s", err)
	}
	v, err := s.run(c)
	if err != nil {
		return nil, failed(errIntrinsic, "States.%s failed in '%s': %s.", c.name, text, err)
	}
	return v, nil
}

func (s scope) run(c *call) (any, error) {
	values := make([]any, len(c.arguments))
	for i, a := range c.arguments {
		switch literal := a.literal.(type) {
		case raw:
			values[i] = literal.text()
			if c.name == "Format" && i == 0 {
				values[i] = literal
			}
		default:
			values[i] = literal
		}
		var err error
		switch {
		case a.call != nil:
			values[i], err = s.run(a.call)
		case a.path != "":
			var ok bool
			if values[i], ok = s.find(a.path); !ok {
				err = fmt.Errorf("the path '%s' names nothing in the input", a.path)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return functions[c.name].run(values)
}
