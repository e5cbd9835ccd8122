package stepfunctions

// Problem is something that Lint found.
type Problem struct {
	Where  string // "States.Load.Retry[0]"
	Text   string
	Advice bool // the machine runs, but should not be written so
}

// String gives place and text.
func (p Problem) String() string { return p.Where + ": " + p.Text }

// Lint checks a definition.
func Lint(definition []byte) []Problem { return nil }
