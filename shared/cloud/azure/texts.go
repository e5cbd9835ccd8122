package azure

import "strings"

// texts keeps each text once: the same few stand in very many rows, and one that is cut out of a line of a report would keep
// the whole line. It begins anew when it has grown too large.
type texts struct {
	known map[string]string
	bytes int
}

const mostTexts = 4 << 20

func (t *texts) once(s string) string {
	if known, ok := t.known[s]; ok {
		return known
	}
	if t.bytes += len(s) + 32; t.known == nil || t.bytes > mostTexts { // 32: what an entry takes on its own
		t.known, t.bytes = map[string]string{}, len(s)+32
	}
	s = strings.Clone(s)
	t.known[s] = s
	return s
}
