package functions_test

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// part is a resource of the template of which anything may be asked.
type part struct {
	Type       string         `yaml:"Type"`
	Properties map[string]any `yaml:"Properties"`
}

func readParts(t *testing.T) map[string]part {
	t.Helper()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Resources map[string]part `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Resources
}

// An endpoint without a policy takes any credentials, and so is a way out of the network.
func TestTheDataSideHasNoWayOut(t *testing.T) {
	t.Parallel()
	endpoints := 0
	for name, p := range readParts(t) {
		switch p.Type {
		case "AWS::EC2::NatGateway", "AWS::EC2::InternetGateway", "AWS::EC2::EgressOnlyInternetGateway":
			t.Errorf("%s is a way out", name)
		case "AWS::EC2::VPCEndpoint":
			endpoints++
			policy, err := yaml.Marshal(p.Properties["PolicyDocument"])
			if err != nil || p.Properties["PolicyDocument"] == nil || strings.Contains(string(policy), `Resource: '*'`) {
				t.Errorf("%s leads to what is not ours: %s %v", name, policy, err)
			}
		}
	}
	if endpoints != 4 {
		t.Errorf("%d endpoints were looked at", endpoints)
	}
}

// Lambda forgets an event that it could not have dealt with, unless it is told where to leave it.
func TestNoEventIsLost(t *testing.T) {
	t.Parallel()
	called := 0
	for name, p := range readParts(t) {
		rules, err := yaml.Marshal(p.Properties["Events"])
		if err != nil {
			t.Fatal(err)
		}
		if p.Type != "AWS::Serverless::Function" || !strings.Contains(string(rules), "EventBridgeRule") {
			continue
		}
		called++
		failures, err := yaml.Marshal(p.Properties["EventInvokeConfig"])
		if err != nil || !strings.Contains(string(failures), "OnFailure") || !strings.Contains(string(rules), "DeadLetterConfig") {
			t.Errorf("%s is called by events and keeps none that fails", name)
		}
	}
	if called == 0 {
		t.Error("no function is called by events any more")
	}
}

// Of credentials the data side may write, and the cloud side read; nobody may do both.
func TestNoFunctionBothWritesAndReadsCredentials(t *testing.T) {
	t.Parallel()
	writers, readers := 0, 0
	for name, p := range readParts(t) {
		text, err := yaml.Marshal(p.Properties)
		if err != nil {
			t.Fatal(err)
		}
		writes, reads := strings.Contains(string(text), "secretsmanager:PutSecretValue"), strings.Contains(string(text), "secretsmanager:GetSecretValue")
		if writes {
			writers++
		}
		if reads {
			readers++
		}
		if inside := p.Properties["VpcConfig"] != nil; writes && reads || reads && inside || p.Type == "AWS::Serverless::Function" && writes && !inside {
			t.Errorf("%s writes credentials: %v, reads them: %v, is inside the network: %v", name, writes, reads, inside)
		}
	}
	if writers == 0 || readers == 0 {
		t.Errorf("%d write credentials, %d read them", writers, readers)
	}
}
