package api

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// asked refuses what the library would overlook in a URL, for an answer to half a question misleads: a parameter of one value
// that is given twice, and text that nothing stored can equal.
func asked(a huma.API) func(ctx huma.Context, next func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		u := ctx.URL()
		if err := checkURL(&u, ctx.Operation().Parameters); err != nil {
			writeProblem(a, ctx, problemOf(err))
			return
		}
		next(ctx)
	}
}

func checkURL(u *url.URL, parameters []*huma.Param) error {
	if !plain(u.Path) {
		return fault.Input("path", "", "holds characters that are no text")
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fault.Input("query", u.RawQuery, "does not consist of percent-encoded name=value pairs")
	}
	for name, all := range values {
		many := slices.ContainsFunc(parameters, func(p *huma.Param) bool {
			return p.In == "query" && p.Name == name && p.Explode != nil && *p.Explode
		})
		switch {
		case len(all) > 1 && !many:
			return fault.Input("query."+name, strings.Join(all, " and "), "is given %d times, and takes one value", len(all))
		case !plain(name) || slices.ContainsFunc(all, func(v string) bool { return !plain(v) }):
			return fault.Input("query."+strings.ToValidUTF8(name, "?"), "", "holds characters that are no text")
		}
	}
	return nil
}

// plain reports whether s is text that the record can hold: UTF-8 without NUL.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// inBody names the fields of an input error as the caller wrote them; jobs know nothing of bodies. renamed gives, in pairs,
// what a field is called in the body where that differs.
func inBody(err error, renamed ...string) error {
	f, ok := err.(*fault.Error) //nolint:errorlint // one that is wrapped in another is not about the body any more
	if !ok || f.Code != fault.Invalid || len(f.Fields) == 0 {
		return err
	}
	out := *f
	out.Fields = slices.Clone(f.Fields)
	for i := range out.Fields {
		name := out.Fields[i].Name
		if strings.HasPrefix(name, "body") {
			return err
		}
		for k := 0; k+1 < len(renamed); k += 2 {
			if name == renamed[k] {
				name = renamed[k+1]
			}
		}
		out.Fields[i].Name = "body." + name
	}
	out.Message = fmt.Sprintf("%s: %s", out.Fields[0].Name, out.Fields[0].Problem)
	return &out
}
