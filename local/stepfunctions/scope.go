package stepfunctions

import (
	"encoding/json"
	"time"
)

// stamp writes a time as Step Functions does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// scope gives what the paths of a frame's state may speak of; the document is the raw input.
func (t *transition) scope(f *Frame) scope {
	s := scope{document: stored(f.Input), context: func() any { return t.context(f) }}
	s.variables, _ = stored(f.Variables).(map[string]any)
	return s
}

// stored decodes what encode wrote; nothing gives nil.
func stored(text json.RawMessage) any {
	if len(text) == 0 {
		return nil
	}
	v, err := decode(text)
	if err != nil {
		panic("stepfunctions: a stored value is not JSON: " + err.Error()) // the store gives back what was written
	}
	return v
}

// context is the context object, which $$ speaks of.
func (t *transition) context(f *Frame) map[string]any {
	x := t.run.execution
	retries := int64(0)
	for _, n := range f.Retries {
		retries += n
	}
	c := map[string]any{
		"Execution": map[string]any{
			"Id": x.ARN, "Name": x.Name, "Input": stored(x.Input), "StartTime": stamp(x.Started), "RedriveCount": int64(0),
			"RoleArn": "arn:aws:iam::" + account + ":role/local",
		},
		"State":        map[string]any{"Name": f.State, "EnteredTime": stamp(f.Entered), "RetryCount": retries},
		"StateMachine": map[string]any{"Id": machineARN(x.Machine), "Name": x.Machine},
	}
	if f.Task != nil {
		c["Task"] = map[string]any{"Token": f.Task.Token}
	}
	if item := t.run.item(f); item != nil {
		c["Map"] = map[string]any{"Item": item}
	}
	return c
}

// item is the Map item that a frame is about: its own or that of the nearest Map around it.
func (r *run) item(f *Frame) map[string]any {
	path, index, ok := f.parent()
	if !ok {
		return nil
	}
	outer := r.frames[path]
	if outer.Fan == nil || outer.Fan.Items == nil {
		return r.item(outer)
	}
	return map[string]any{"Index": int64(index), "Value": r.itemsOf(outer)[index]}
}

// itemsOf decodes the items of a Map's frame once.
func (r *run) itemsOf(f *Frame) []any {
	items, ok := r.items[f.Path]
	if !ok {
		items, _ = stored(f.Fan.Items).([]any)
		r.items[f.Path] = items
	}
	return items
}

// input applies InputPath and, unless they are a Map's, Parameters to the raw input.
func (s scope) input(st *state) (any, *failure) {
	v, fail := s.filter("InputPath", st.InputPath, s.document)
	if fail != nil || !st.Parameters.set || st.Type == typeMap {
		return v, fail
	}
	s.document = v
	if v, fail = s.payload(st.Parameters.value); fail != nil {
		return nil, fail
	}
	if len(encode(v)) > dataLimit {
		return nil, failed(errDataLimit, "The Parameters give more than %d bytes.", dataLimit)
	}
	return v, nil
}

// filter applies InputPath or OutputPath: absent gives all, null an empty object.
func (s scope) filter(field string, p optionalPath, document any) (any, *failure) {
	switch {
	case p.null:
		return map[string]any{}, nil
	case p.text == "":
		return document, nil
	}
	s.document = document
	v, ok := s.find(p.text)
	if !ok {
		return nil, failed(errRuntime, "The %s '%s' names nothing in '%s'.", field, p.text, encode(document))
	}
	return v, nil
}
