package template_test

import (
	"reflect"
	"testing"

	"github.com/cost-agent/cost-agent/local/template"
)

const sample = `
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      BinaryMediaTypes: [application/gzip]
  Bucket:
    Type: AWS::S3::Bucket
  CostsFunction:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {BUCKET: !Ref Bucket}}
      Events:
        Query: {Type: Api, Properties: {Path: /api/v1/costs, Method: get, RestApiId: !Ref Api}}
        Health: {Type: Api, Properties: {Path: /api/v1/health, Method: GET, Auth: {Authorizer: NONE}}}
  ActAwsFunction:
    Type: AWS::Serverless::Function
  CollectMachine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: statemachines/collect.asl.json
      DefinitionSubstitutions: {Act: !Ref ActAwsFunction.Version}
  DailyMachine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: statemachines/daily.asl.json
      DefinitionSubstitutions:
        Collect: !GetAtt CollectMachine.Arn
        Costs: !GetAtt CostsFunction.Arn
      Events:
        EveryDay: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), Input: '{"a":1}'}}
`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := template.Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := &template.Template{
		Routes: []template.Route{
			{Method: "GET", Path: "/api/v1/costs", Function: "costs"},
			{Method: "GET", Path: "/api/v1/health", Function: "costs", Open: true},
		},
		Schedules: []template.Schedule{{Name: "EveryDay", Machine: "daily", Rate: "rate(1 day)", Input: `{"a":1}`}},
		Machines: []template.Machine{
			{Name: "collect", Definition: "statemachines/collect.asl.json", Substitutions: map[string]string{"Act": "act-aws"}},
			{Name: "daily", Definition: "statemachines/daily.asl.json", Substitutions: map[string]string{"Collect": "machine:collect", "Costs": "costs"}},
		},
		Binary: []string{"application/gzip"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseRefusesASubstitutionThatNamesNothing(t *testing.T) {
	t.Parallel()
	_, err := template.Parse([]byte("Resources:\n  M:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      DefinitionUri: x.asl.json\n      DefinitionSubstitutions: {A: !Ref Gone}\n"))
	if err == nil {
		t.Error("accepted")
	}
}
