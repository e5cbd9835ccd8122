// Package template reads from the SAM template what one machine needs of it: routes, schedules and state machines, so that
// what runs here is what would be deployed.
package template

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is the deployable project as far as one machine runs it.
type Template struct {
	Routes    []Route
	Schedules []Schedule
	Machines  []Machine
	Binary    []string // media types that the gateway hands over as base64
}

// Route is one operation of the API.
type Route struct {
	Method   string
	Path     string // "/api/v1/execution/{id}"
	Function string // folder of the function: "executions"
	Open     bool   // needs no API key
}

// Schedule starts a state machine regularly.
type Schedule struct {
	Name    string
	Machine string // "cost-optimization"
	Rate    string // "rate(1 day)"
	Input   string // JSON
}

// Machine is one state machine.
type Machine struct {
	Name          string            // of its file: "execution"
	Definition    string            // path relative to the template
	Substitutions map[string]string // to a function's folder or "machine:<name>"
}

type document struct {
	Resources map[string]resource `yaml:"Resources"`
}

type resource struct {
	Type       string    `yaml:"Type"`
	Properties yaml.Node `yaml:"Properties"`
}

type properties struct {
	DefinitionURI           string            `yaml:"DefinitionUri"`
	DefinitionSubstitutions map[string]string `yaml:"DefinitionSubstitutions"`
	Events                  map[string]event  `yaml:"Events"`
	BinaryMediaTypes        []string          `yaml:"BinaryMediaTypes"`
}

type event struct {
	Type       string `yaml:"Type"`
	Properties struct {
		Path   string `yaml:"Path"`
		Method string `yaml:"Method"`
		Auth   struct {
			Authorizer string `yaml:"Authorizer"`
		} `yaml:"Auth"`
		ScheduleExpression string `yaml:"ScheduleExpression"`
		Input              string `yaml:"Input"`
	} `yaml:"Properties"`
}

// MachinePrefix marks a substitution that names a machine.
const MachinePrefix = "machine:"

const (
	functionType = "AWS::Serverless::Function"
	machineType  = "AWS::Serverless::StateMachine"
	apiType      = "AWS::Serverless::Api"
)

// Parse reads a template. Intrinsic functions are taken by the name they refer to.
func Parse(text []byte) (*Template, error) {
	var doc document
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	t := &Template{}
	for id, r := range doc.Resources {
		if r.Type != functionType && r.Type != machineType && r.Type != apiType {
			continue
		}
		var p properties
		if err := r.Properties.Decode(&p); err != nil {
			return nil, fmt.Errorf("template resource %s: %w", id, err)
		}
		switch r.Type {
		case functionType:
			t.addRoutes(FunctionName(id), p)
		case machineType:
			if err := t.addMachine(id, p, doc.Resources); err != nil {
				return nil, err
			}
		case apiType:
			t.Binary = p.BinaryMediaTypes
		}
	}
	slices.SortFunc(t.Routes, func(a, b Route) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	slices.SortFunc(t.Machines, func(a, b Machine) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(t.Schedules, func(a, b Schedule) int { return strings.Compare(a.Name, b.Name) })
	return t, nil
}

func (t *Template) addRoutes(function string, p properties) {
	for _, e := range p.Events {
		if e.Type == "Api" {
			t.Routes = append(t.Routes, Route{Method: strings.ToUpper(e.Properties.Method), Path: e.Properties.Path,
				Function: function, Open: e.Properties.Auth.Authorizer == "NONE"})
		}
	}
}

func (t *Template) addMachine(id string, p properties, resources map[string]resource) error {
	file := p.DefinitionURI[strings.LastIndexByte(p.DefinitionURI, '/')+1:]
	m := Machine{Name: strings.TrimSuffix(file, ".asl.json"), Definition: p.DefinitionURI, Substitutions: map[string]string{}}
	for name, value := range p.DefinitionSubstitutions {
		target, err := refersTo(value, resources)
		if err != nil {
			return fmt.Errorf("template resource %s, substitution %s: %w", id, name, err)
		}
		m.Substitutions[name] = target
	}
	t.Machines = append(t.Machines, m)
	for name, e := range p.Events {
		if e.Type == "Schedule" || e.Type == "ScheduleV2" {
			t.Schedules = append(t.Schedules, Schedule{Name: name, Machine: m.Name, Rate: e.Properties.ScheduleExpression, Input: e.Properties.Input})
		}
	}
	return nil
}

// refersTo finds the function or machine that a !Ref, !GetAtt or !Sub names.
func refersTo(value string, resources map[string]resource) (string, error) {
	id := strings.Trim(value, "${}")
	id, _, _ = strings.Cut(id, ".")
	switch r := resources[id]; r.Type {
	case functionType:
		return FunctionName(id), nil
	case machineType:
		var p properties
		if err := r.Properties.Decode(&p); err != nil {
			return "", err
		}
		return MachinePrefix + strings.TrimSuffix(p.DefinitionURI[strings.LastIndexByte(p.DefinitionURI, '/')+1:], ".asl.json"), nil
	default:
		return "", fmt.Errorf("%q refers to no function or state machine of the template", value)
	}
}

// FunctionName is the folder of a function from its logical id: CollectAwsFunction is collect-aws.
func FunctionName(id string) string {
	var out strings.Builder
	for i, r := range strings.TrimSuffix(id, "Function") {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				out.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		out.WriteRune(r)
	}
	return out.String()
}
