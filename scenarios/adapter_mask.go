package scenarios

import (
	"regexp"
	"strings"
)

var secretName = regexp.MustCompile(`(?i)authorization|cookie|token|secret|passw|key`)

// inClear are the values of a section "server" that no artefact shall show although they stand in the file: a URL with a
// password, and what a request sends under a name that is that of a secret.
func (form *serverForm) inClear() []*node {
	var values []*node
	if form.URL.given() && strings.Contains(form.URL.at.text, "@") {
		values = append(values, form.URL.at)
	}
	for _, steps := range []*list[stepForm]{&form.Login, &form.Teardown} {
		for _, step := range steps.items {
			for _, fields := range []*named[text]{&step.Headers, &step.Form} {
				for _, e := range fields.list {
					if e.form.given() && secretName.MatchString(e.name) && standsInClear(e.form.at.text) {
						values = append(values, e.form.at)
					}
				}
			}
		}
	}
	return values
}

// standsInClear says whether something of a value stands in the file itself.
func standsInClear(value string) bool {
	return !scheme.MatchString(strings.TrimSpace(substitution.ReplaceAllString(value, "")))
}
