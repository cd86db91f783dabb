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
			values = append(values, step.inClear()...)
		}
	}
	return values
}

// inClear are the values that a request sends under a name that is that of a secret.
func (form *stepForm) inClear() []*node {
	return append(namedInClear(&form.Headers), namedInClear(&form.Form)...)
}

func namedInClear(fields *named[text]) (values []*node) {
	for _, e := range fields.list {
		if e.form.given() && secretName.MatchString(e.name) && standsInClear(e.form.at.text) {
			values = append(values, e.form.at)
		}
	}
	return values
}

// inClear are the values of a protocol file that no artefact shall show.
func (form *protocolForm) inClear() []*node {
	values := append(namedInClear(&form.Vars), namedInClear(&form.Subscribe.Resume)...)
	for _, e := range form.App.Params.list {
		if value := &e.form.Text; value.given() && secretName.MatchString(e.name) && standsInClear(value.at.text) {
			values = append(values, value.at)
		}
	}
	for _, e := range form.JWT.list {
		if key := &e.form.Key; key.given() && standsInClear(key.at.text) {
			values = append(values, key.at)
		}
	}
	steps := []*stepForm{&form.Subscribe.Request, &form.Publish.Request}
	for _, list := range []*list[stepForm]{&form.Setup, &form.Subscribe.Before, &form.Subscribe.After} {
		steps = append(steps, list.items...)
	}
	for _, e := range form.Events.React.items {
		steps = append(steps, &e.Request)
	}
	for _, step := range steps {
		values = append(values, step.inClear()...)
	}
	return values
}

// standsInClear says whether something of a value stands in the file itself.
func standsInClear(value string) bool {
	return !scheme.MatchString(strings.TrimSpace(substitution.ReplaceAllString(value, "")))
}
