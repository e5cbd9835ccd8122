package stepfunctions

import (
	"context"
	"encoding/json"
	"slices"
)

// itemReader says where a distributed Map reads its items.
type itemReader struct {
	Resource     string
	Parameters   dynamic
	ReaderConfig struct {
		InputType string
		MaxItems  int64 // 0 is all
	}
}

// source is the object that holds a Map's items.
type source struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

const readsObject = "arn:aws:states:::s3:getObject"

// source evaluates where the items are.
func (s scope) source(st *state) (*source, *failure) {
	v, fail := s.payload(st.ItemReader.Parameters.value)
	if fail != nil {
		return nil, fail
	}
	fields, _ := v.(map[string]any) // Lint has seen it
	bucket, _ := fields["Bucket"].(string)
	key, _ := fields["Key"].(string)
	if bucket == "" || key == "" {
		return nil, failed(errItemReader, "The ItemReader needs a Bucket and a Key, not %s.", encode(v))
	}
	return &source{Bucket: bucket, Key: key}, nil
}

// readItems reads the items of a distributed Map and begins its iterations.
func (r *run) readItems(ctx context.Context, f *Frame, st *state) error {
	text, err := r.engine.object(ctx, f.Source.Bucket, f.Source.Key)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var items []any
	fail := failed(errItemReader, "The object %s of the bucket %s must hold a JSON array.", f.Source.Key, f.Source.Bucket)
	if err != nil {
		r.engine.log.Warn("the items of a Map could not be read", "bucket", f.Source.Bucket, "key", f.Source.Key, "error", err)
		fail = failed(errItemReader, "The object %s of the bucket %s could not be read.", f.Source.Key, f.Source.Bucket)
	} else if v, bad := decode(json.RawMessage(text)); bad == nil {
		if list, ok := v.([]any); ok {
			items, fail = list, nil
		}
	}
	if most := int(st.ItemReader.ReaderConfig.MaxItems); most > 0 {
		items = items[:min(most, len(items))]
	}
	return r.commit(ctx, func(t *transition) {
		s := t.scope(f)
		if fail == nil {
			s.document, fail = s.filter("InputPath", st.InputPath, s.document)
		}
		if fail == nil {
			fail = t.beginIterations(f, st, s, items)
		}
		if fail != nil {
			t.fail(f, st, fail)
		}
	})
}

// apart tells whether a frame is inside a distributed Map, whose iterations are executions of their own: their events are not
// in the history of the one that began them, and do not count for its length. The caller holds the lock.
func (r *run) apart(f *Frame) bool {
	for path, _, ok := f.parent(); ok; {
		outer := r.frames[path]
		if st := r.state(outer); st != nil && st.Type == typeMap && st.distributed() {
			return true
		}
		path, _, ok = outer.parent()
	}
	return false
}

// reader checks where a Map reads its items.
func (l *linter) reader(where string, st *state, fields map[string]json.RawMessage) {
	if st.ItemReader == nil {
		return
	}
	raw := inner(fields, "ItemReader")
	l.fields(where, raw, "Resource Parameters ReaderConfig")
	l.fields(where+".ReaderConfig", inner(raw, "ReaderConfig"), "InputType MaxItems")
	l.template(where+".Parameters", st.ItemReader.Parameters)
	if p := st.processor(); p == nil || p.ProcessorConfig.Mode != "DISTRIBUTED" {
		l.problem(where, "only a Map whose Mode is DISTRIBUTED reads items")
	}
	if st.ItemReader.Resource != readsObject {
		l.problem(where, "the Resource must be %s, for nothing else is served", readsObject)
	}
	if kind := st.ItemReader.ReaderConfig.InputType; kind != "JSON" {
		l.problem(where+".ReaderConfig", "the InputType must be JSON, for nothing else is served, not '%s'", kind)
	}
	if st.ItemReader.ReaderConfig.MaxItems < 0 {
		l.problem(where+".ReaderConfig", "MaxItems must not be negative")
	}
	parameters, _ := st.ItemReader.Parameters.value.(map[string]any)
	for _, name := range []string{"Bucket", "Key"} {
		if !slices.ContainsFunc([]string{name, name + ".$"}, func(n string) bool { return parameters[n] != nil }) {
			l.problem(where+".Parameters", "%s is missing", name)
		}
	}
}
