package scenarios

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"holobench/internal/draw"
)

// readValues resolves the section of that name.
func (r *resolver) readValues() []Value {
	form := &r.form.Values
	var all []Value
	for _, e := range form.list {
		r.checkKey(e.key, "values")
		r.checkOwnName(e.key, "values")
		if slices.ContainsFunc(r.feeds, func(f Feed) bool { return f.Name == e.name }) {
			r.add(e.key, "values: there is a feed of the name "+quote(e.name), "take another name for one of them")
		}
		v := r.value(&e.form)
		v.Name = e.name
		all = append(all, v)
	}
	if len(all) > maxValues {
		r.add(form.at, "values: there are "+counted(len(all), "value")+", the limit is "+counted(maxValues, "value"), "")
	}
	return all
}

// checkOwnName refuses a name that means something else in every template.
func (r *resolver) checkOwnName(key *node, section string) {
	if slices.Contains(ownNames(), key.text) {
		r.add(key, section+": the name "+quote(key.text)+" is one of holobench's own", "take another name")
	}
}

// value resolves one value but its name.
func (r *resolver) value(form *valueForm) Value {
	v := Value{Per: r.oneOf(&form.Per, PerAct, []string{PerAct, PerUse, PerClient})}
	if form.word.given() {
		v.Kind = r.oneOf(&form.word, UUIDValue, []string{UUIDValue})
		return v
	}
	v.Kind = r.oneVerb(&form.spot, []verb{
		{IntValue, &form.Int.spot}, {TextValue, &form.Text.spot}, {HexValue, &form.Hex.spot}, {PickValue, &form.Pick.spot}, {SequenceValue, &form.Sequence.spot},
	}, "a value", "write uuid alone, or one of ")
	switch v.Kind {
	case IntValue:
		r.valueInt(form, &v)
	case TextValue:
		v.Length = r.amount(&form.Text, counts(maxLength), Exactly(1))
	case HexValue:
		v.Length = r.amount(&form.Hex, counts(maxLength), Exactly(1))
	case PickValue:
		r.valuePick(form, &v)
	case SequenceValue:
		v.From, v.To = int64(r.within(&form.Sequence.From, 1, math.MaxInt32)), int64(r.within(&form.Sequence.Step, 1, 1_000_000)) //nolint:gosec // within their limits
		if form.Per.given() {
			r.add(form.Per.at, form.Per.path+": a sequence rises with each act", "leave per out")
		}
	}
	for _, other := range []struct {
		kind string
		at   *spot
	}{{PickValue, &form.Shares.spot}, {PickValue + " or " + IntValue, &form.Zipf.spot}} {
		if other.at.given() && !strings.Contains(other.kind, v.Kind) {
			r.add(other.at.at, other.at.path+" goes with "+other.kind+" only", "leave it out")
		}
	}
	return v
}

// within returns an integer of at most most.
func (r *resolver) within(form *integer, unset, most uint64) uint64 {
	if !form.usable() {
		return unset
	}
	if form.v > most {
		r.add(form.at, form.path+": "+strconv.FormatUint(form.v, 10)+" is more than the limit, "+strconv.FormatUint(most, 10), "")
		return unset
	}
	return form.v
}

// valueInt resolves a whole number: a range, and how popular its low numbers are.
func (r *resolver) valueInt(form *valueForm, v *Value) {
	v.To = 1
	least, most, two := strings.Cut(form.Int.v, "..")
	from, errFrom := parseInteger(least)
	to, errTo := parseInteger(most)
	const limit = 1 << 53 // as far as JavaScript counts
	switch {
	case !form.Int.usable():
		return
	case !two || errFrom != nil || errTo != nil:
		r.add(form.Int.at, form.Int.path+": "+quote(form.Int.v)+" is no range of whole numbers", "write the least and the most: int: 1..1000000")
		return
	case from > to:
		r.add(form.Int.at, form.Int.path+": the range "+quote(form.Int.v)+" ends below its beginning", "write the lesser first: "+most+".."+least)
		return
	case to > limit:
		r.add(form.Int.at, form.Int.path+": "+most+" is more than the limit, "+strconv.Itoa(limit), "")
		return
	}
	v.From, v.To = int64(from), int64(to) //nolint:gosec // within the limit
	r.zipf(form, v, v.To-v.From+1)
}

// zipf resolves the exponent of a law of popularity over n things.
func (r *resolver) zipf(form *valueForm, v *Value, n int64) {
	if !form.Zipf.usable() {
		return
	}
	s, err := parseNumber(form.Zipf.v)
	switch {
	case err != nil || s <= 0 || s > 10:
		r.add(form.Zipf.at, form.Zipf.path+": "+quote(form.Zipf.v)+" is no exponent", "write a number above 0, at most 10: zipf: 1.1 is that of words and cities")
		return
	case n > maxRanks:
		r.add(form.Zipf.at, form.Zipf.path+": a law of popularity goes over at most "+strconv.Itoa(maxRanks)+" numbers, not "+strconv.FormatInt(n, 10), "make the range smaller")
		return
	}
	v.Zipf = s
	v.ranks, _ = draw.NewZipf(int(n), s)
}

// valuePick resolves a list to pick of.
func (r *resolver) valuePick(form *valueForm, v *Value) {
	items := form.Pick.items
	if len(items) == 0 {
		if form.Pick.usable() {
			r.add(form.Pick.at, form.Pick.path+": there is nothing to pick", "write the items: pick: [red, green]")
		}
		return
	}
	for _, item := range items {
		if len(item.v) > maxText {
			r.add(item.at, item.path+": the item has "+strconv.Itoa(len(item.v))+" bytes, the limit is "+strconv.Itoa(maxText), "")
		}
		v.Items = append(v.Items, Choice{Text: item.v, Share: 1 / float64(len(items))})
	}
	r.zipf(form, v, int64(len(items)))
	shares := &form.Shares
	switch {
	case !shares.usable():
		return
	case form.Zipf.given():
		r.add(shares.at, shares.path+" stands beside zipf", "keep one of the two: both say how often each item is drawn")
	case len(shares.items) != len(items):
		r.add(shares.at, shares.path+": there are "+counted(len(shares.items), "share")+" for "+counted(len(items), "item"), "write one for each: shares: [70%, 30%]")
	default:
		sum := 0.0
		for i, s := range shares.items {
			v.Items[i].Share = s.v
			sum += s.v
		}
		r.checkWhole(&shares.spot, sum)
	}
}

// checkWhole notes that shares are not 100 % together.
func (r *resolver) checkWhole(at *spot, sum float64) {
	if math.Abs(sum-1) > 1e-6 {
		r.add(at.at, at.path+": the shares make "+strconv.FormatFloat(math.Round(sum*1e6)/1e4, 'f', -1, 64)+"%", "let them make 100% together")
	}
}
