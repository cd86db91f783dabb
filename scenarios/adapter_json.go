package scenarios

import (
	"encoding/json"
	"regexp"
)

// placeholders is a name in a template, with its filter.
var placeholders = regexp.MustCompile(`\$\{([^}|]*)(\|[^}]*)?\}`)

// checkJSON tells of the two slips by which the payload spoils a body of JSON: no quotes, and quotes twice. Other names may stand for
// anything, also for a part of the text, so that nothing is said of a body that is wrong with either.
func (a *adapter) checkJSON(form *stepForm) {
	if !form.JSON.usable() {
		return
	}
	body := form.JSON.v
	if whole := validWith(body, `"x"`, `"x"`); whole && !validWith(body, `x`, `"x"`) {
		a.add(form.JSON.at, form.JSON.path+": ${payload} stands where a text of JSON belongs, and has no quotes", "write ${payload|json}, which brings them along")
	}
	if bare := validWith(body, `x`, `x`); bare && !validWith(body, `x`, `"x"`) {
		a.add(form.JSON.at, form.JSON.path+": ${payload|json} brings its own quotes, and stands between others", "leave those out, or write ${payload|in_json} between them")
	}
}

// validWith tells whether a body is JSON when bare stands for the payload alone, and quoted for that with the filter json.
func validWith(body, bare, quoted string) bool {
	return json.Valid([]byte(placeholders.ReplaceAllStringFunc(body, func(found string) string {
		switch found {
		case "${payload}":
			return bare
		case "${payload|json}":
			return quoted
		case "${payload|in_json}":
			return "x"
		}
		return "0"
	})))
}
