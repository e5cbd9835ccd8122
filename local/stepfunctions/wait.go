package stepfunctions

import "time"

// wait computes when a Wait state ends.
func (t *transition) wait(f *Frame, st *state, s scope) *failure {
	switch {
	case st.Seconds != nil:
		f.WakeAt = t.now.Add(time.Duration(*st.Seconds) * time.Second)
	case st.SecondsPath != "":
		n, fail := s.seconds("SecondsPath", st.SecondsPath, 0)
		if fail != nil {
			return fail
		}
		f.WakeAt = t.now.Add(n)
	default:
		var v any = st.Timestamp
		if st.TimestampPath != "" {
			v, _ = s.find(st.TimestampPath)
		}
		at, ok := asTime(v)
		if !ok {
			return failed(errRuntime, "The state '%s' has no timestamp to wait for: %s.", f.State, encode(v))
		}
		f.WakeAt = at
	}
	return nil
}

// mostSeconds is the longest time that a state may wait or last.
const mostSeconds = 99_999_999

// seconds reads a duration from a path.
func (s scope) seconds(field, path string, least int64) (time.Duration, *failure) {
	v, _ := s.find(path)
	n, ok := v.(int64)
	if !ok || n < least || n > mostSeconds {
		return 0, failed(errRuntime, "The %s '%s' must give a whole number from %d to %d, not %s.", field, path, least, mostSeconds, encode(v))
	}
	return time.Duration(n) * time.Second, nil
}

// waited ends a Wait state.
func (t *transition) waited(f *Frame, st *state) {
	effective, fail := t.scope(f).input(st)
	if fail == nil {
		fail = t.exit(f, st, effective)
	}
	if fail != nil {
		t.fail(f, st, fail)
	}
}
