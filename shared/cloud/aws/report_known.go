package aws

import (
	"github.com/cost-agent/cost-agent/shared/focus"
)

// recollection keeps one copy of what a report says again and again. It forgets everything when it is full, so that a report of
// any length takes a bounded memory.
type recollection struct {
	texts  map[string]string
	maps   map[column]map[string]map[string]string
	extras map[string]map[string]string
}

// mostKnown is how many different things are kept.
const mostKnown = 1 << 14

func newRecollection() recollection {
	return recollection{texts: map[string]string{}, maps: map[column]map[string]map[string]string{}, extras: map[string]map[string]string{}}
}

func (r *recollection) text(cell []byte) string {
	if text, ok := r.texts[string(cell)]; ok {
		return text
	}
	if len(r.texts) >= mostKnown {
		clear(r.texts)
	}
	text := string(cell)
	r.texts[text] = text
	return text
}

// pairs reads a JSON object with its keys renamed and without those that have no value.
func (r *recollection) pairs(c column, cell []byte, rename func(string) string) (map[string]string, bool) {
	if len(cell) == 0 {
		return nil, true
	}
	known := r.maps[c]
	if pairs, ok := known[string(cell)]; ok {
		return pairs, true
	}
	if known == nil || len(known) >= mostKnown/4 {
		known = map[string]map[string]string{}
		r.maps[c] = known
	}
	read, ok := focus.ParsePairs(cell)
	if !ok {
		return nil, false
	}
	var pairs map[string]string
	for key, value := range read {
		if value == "" {
			continue
		}
		if pairs == nil {
			pairs = map[string]string{}
		}
		pairs[rename(key)] = value
	}
	known[string(cell)] = pairs
	return pairs, true
}

// extra gives the map that belongs to a key, making it when it is not known.
func (r *recollection) extra(key []byte, fill func() map[string]string) map[string]string {
	if extra, ok := r.extras[string(key)]; ok {
		return extra
	}
	if len(r.extras) >= mostKnown {
		clear(r.extras)
	}
	extra := fill()
	r.extras[string(key)] = extra
	return extra
}
