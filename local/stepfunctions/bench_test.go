package stepfunctions

import (
	"context"
	"testing"

	"github.com/cost-agent/cost-agent/shared/pgtest"
)

// BenchmarkExecution measures an execution of two tasks and a Map of ten more, which makes about fifty transitions.
func BenchmarkExecution(b *testing.B) {
	const definition = `{"StartAt": "A", "States": {
		"A": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "Next": "M"},
		"M": {"Type": "Map", "ItemsPath": "$.l", "ItemProcessor": {"StartAt": "T", "States": {
			"T": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "End": true}}}, "ResultPath": "$.m", "Next": "B"},
		"B": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "End": true}}}`
	for name, open := range map[string]func(b *testing.B) Store{
		"memory": func(*testing.B) Store { return NewMemory() },
		"postgres": func(b *testing.B) Store {
			store, err := OpenPostgres(b.Context(), pgtest.Pool(b))
			if err != nil {
				b.Fatal(err)
			}
			return store
		},
	} {
		b.Run(name, func(b *testing.B) {
			e, err := New(Options{Store: open(b), Invoke: newScript(nil).invoke, Clock: newLeaping()})
			if err != nil {
				b.Fatal(err)
			}
			if err := e.Define("m", []byte(definition), nil); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				arn, err := e.Start(b.Context(), "m", "", []byte(`{"l": [1,2,3,4,5,6,7,8,9,10]}`))
				if err != nil {
					b.Fatal(err)
				}
				if x, err := e.Wait(b.Context(), arn); err != nil || x.Status != Succeeded {
					b.Fatal(x.Status, x.Error, x.Cause, err)
				}
			}
			if err := e.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
