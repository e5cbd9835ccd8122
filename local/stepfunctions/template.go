package stepfunctions

import "strings"

// payload fills a payload template: a member whose name ends in .$ takes its value from a path or an intrinsic function.
func (s scope) payload(template any) (any, *failure) {
	switch t := template.(type) {
	case map[string]any:
		filled := make(map[string]any, len(t))
		for name, item := range t {
			var v any
			var f *failure
			if plain, dynamic := strings.CutSuffix(name, ".$"); dynamic {
				text, _ := item.(string)
				name = plain
				v, f = s.value(plain, text)
			} else {
				v, f = s.payload(item)
			}
			if f != nil {
				return nil, f
			}
			filled[name] = v
		}
		return filled, nil
	case []any:
		filled := make([]any, len(t))
		for i, item := range t {
			v, f := s.payload(item)
			if f != nil {
				return nil, f
			}
			filled[i] = v
		}
		return filled, nil
	}
	return template, nil
}

// value evaluates the text of a .$ member: a path or an intrinsic function.
func (s scope) value(field, text string) (any, *failure) {
	if !strings.HasPrefix(text, "$") {
		return s.call(text)
	}
	v, ok := s.find(text)
	if !ok {
		return nil, failed(errParameterPath, "The path '%s' of the field '%s.$' names nothing in the input.", text, field)
	}
	return v, nil
}
