package scenarios

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"holobench/internal/draw"
)

// measure is the unit of an amount at its place.
type measure struct {
	read    func(string) (float64, error)
	show    func(float64) string
	most    float64 // the limit of its place
	example string  // two amounts, the lesser first: "200ms..900ms"
}

// durations are amounts of time, in ns.
func durations(most time.Duration) measure {
	return measure{
		read: func(s string) (float64, error) {
			d, err := parseDuration(s)
			return float64(d), err
		},
		show: func(v float64) string { return time.Duration(v).String() },
		most: float64(most), example: "200ms..900ms",
	}
}

// sizes are amounts of bytes.
func sizes(most int) measure {
	return measure{
		read: func(s string) (float64, error) {
			n, err := parseSize(s)
			return float64(n), err
		},
		show: func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) + "B" },
		most: float64(most), example: "100B..2KiB",
	}
}

// counts are amounts of things.
func counts(most int) measure {
	return measure{
		read: func(s string) (float64, error) {
			n, err := parseInteger(s)
			return float64(n), err
		},
		show: func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) },
		most: float64(most), example: "1..5",
	}
}

// amountKey is one key of an amount.
type amountKey struct {
	name string
	form *text
}

// laws are the keys that a law of chance needs, the first two of A and B.
func laws(form *amountForm) map[string][]amountKey {
	return map[string][]amountKey{
		"constant":    {{"value", &form.Value}},
		"uniform":     {{"min", &form.Min}, {"max", &form.Max}},
		"normal":      {{"mean", &form.Mean}, {"sd", &form.SD}},
		"lognormal":   {{"p50", &form.P50}, {"p99", &form.P99}},
		"exponential": {{"mean", &form.Mean}},
		"pareto":      {{"min", &form.Min}, {"shape", &form.Shape}},
		"empirical":   {{"samples", &form.Samples}},
	}
}

// lawNames lists them in the order of the manual.
func lawNames() []string {
	return []string{"constant", "uniform", "normal", "lognormal", "exponential", "pareto", "empirical"}
}

// amount resolves an amount: one, a range, or a law of chance. Of a law without an end the largest draw is the limit of the place.
func (r *resolver) amount(form *amountForm, m measure, unset Amount) Amount {
	if !form.usable() || form.one.broken {
		return unset
	}
	if form.one.given() {
		return r.span(&form.one, m, unset)
	}
	dist := r.law(form)
	keys := laws(form)[dist]
	if keys == nil {
		return unset
	}
	before := len(r.list)
	kind, _ := draw.ParseKind(dist)
	law := draw.Law{Kind: kind}
	for i, key := range keys {
		r.require(&key.form.spot, &form.spot, key.name, "the keys of "+dist+" are "+keyNames(keys))
		if kind == draw.KindEmpirical {
			law = r.empirical(form, m, law)
			continue
		}
		v := r.parameter(key, m)
		if i == 0 {
			law.A = v
		} else {
			law.B = v
		}
	}
	r.refuseOthers(form, dist, keys)
	law.Base, law.Cap = r.parameter(amountKey{"base", &form.Base}, m), r.parameter(amountKey{"cap", &form.Cap}, m)
	if len(r.list) > before || form.broken {
		return unset
	}
	a, what, remedy := checkLaw(form, law)
	if what != "" {
		r.add(form.at, form.path+": "+what, remedy)
		return unset
	}
	if a.Max() > m.most && a.Cap == 0 {
		a.Cap = m.most
	}
	return a
}

// span reads one amount, or two with two dots between them.
func (r *resolver) span(form *text, m measure, unset Amount) Amount {
	least, most, two := strings.Cut(form.v, "..")
	if !two {
		most = least
	}
	a, err := m.read(least)
	b, errB := m.read(most)
	switch {
	case two && (err != nil || errB != nil):
		r.add(form.at, form.path+": "+quote(form.v)+" is no range", "write its two ends, with a unit each where it has one: "+m.example)
	case err != nil:
		r.addError(form.at, form.path, err)
	case a > b:
		r.add(form.at, form.path+": the range "+quote(form.v)+" ends below its beginning", "write the lesser first: "+most+".."+least)
	case b > m.most:
		r.add(form.at, form.path+": "+m.show(b)+" is more than the limit, "+m.show(m.most), "")
	case a == b:
		return Exactly(a)
	default:
		return Amount{draw.Law{Kind: draw.KindUniform, A: a, B: b}}
	}
	return unset
}

// law finds out which law of chance is meant.
func (r *resolver) law(form *amountForm) string {
	if form.Dist.given() {
		return r.oneOf(&form.Dist, "", lawNames())
	}
	switch {
	case form.P50.given(), form.P99.given():
		return "lognormal"
	case form.Samples.given():
		return "empirical"
	}
	r.require(&form.Dist.spot, &form.spot, "dist", "say by which law it is drawn: one of "+strings.Join(lawNames(), ", ")+"; {p50: 80ms, p99: 400ms} is lognormal")
	return ""
}

// parameter reads one key; a shape has no unit.
func (r *resolver) parameter(key amountKey, m measure) float64 {
	if !key.form.usable() {
		return 0
	}
	if key.name == "shape" {
		v, err := parseNumber(key.form.v)
		if err != nil || v <= 0 || v > 1000 {
			r.add(key.form.at, key.form.path+": "+quote(key.form.v)+" is no shape", "write a number above 0: the smaller it is, the more there is of the large; 1.5 is heavy, 3 is light")
		}
		return v
	}
	v, err := m.read(key.form.v)
	switch {
	case err != nil:
		r.addError(key.form.at, key.form.path, err)
	case v > m.most:
		r.add(key.form.at, key.form.path+": "+m.show(v)+" is more than the limit, "+m.show(m.most), "")
	}
	return v
}

// refuseOthers notes keys that belong to other laws.
func (r *resolver) refuseOthers(form *amountForm, dist string, keys []amountKey) {
	var seen []*text
	for _, other := range lawNames() {
		for _, key := range laws(form)[other] {
			mine := slices.ContainsFunc(keys, func(k amountKey) bool { return k.form == key.form })
			if mine || !key.form.given() || slices.Contains(seen, key.form) {
				continue
			}
			seen = append(seen, key.form)
			r.add(key.form.at, key.form.path+": the law "+dist+" has no "+key.name, "its keys are "+keyNames(keys)+", base, cap")
		}
	}
}

func keyNames(keys []amountKey) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.name
	}
	return strings.Join(names, ", ")
}

// checkLaw says what is wrong with the numbers of a law.
func checkLaw(form *amountForm, law draw.Law) (a Amount, what, remedy string) {
	switch {
	case law.Kind == draw.KindUniform && law.B < law.A:
		return a, "its max is below its min", "write the lesser under min"
	case law.Kind == draw.KindLognormal && law.A == 0, law.Kind == draw.KindExponential && law.A == 0, law.Kind == draw.KindPareto && law.A == 0:
		return a, "a law of that kind cannot begin at 0", "write an amount above 0, or the amount alone"
	case law.Kind == draw.KindLognormal && law.B < law.A:
		return a, "its p99 is below its p50", "write the larger under p99: 99 of 100 draws are at most as large"
	case form.Cap.given() && (law.Cap == 0 || law.Cap < law.Base):
		return a, "its cap is below its base, so that all draws are the cap", "write the cap above the base"
	}
	if err := law.Check(); err != nil {
		return a, err.Error(), ""
	}
	if math.IsNaN(law.Quantile(0.5)) {
		return a, "a law with these numbers has no draws", ""
	}
	return Amount{law}, "", ""
}
