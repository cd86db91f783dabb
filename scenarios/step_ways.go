package scenarios

// repeat resolves the step of that name.
func (w *flowReader) repeat(step *flowStepForm, in nesting) Step {
	form := &step.Repeat
	w.require(&form.Times.spot, &form.spot, "times", "say how often: repeat: {times: 3, flow: [{send: message}]}")
	return &Repeat{
		Place: placeOf(&step.spot), Times: w.amount(&form.Times, counts(maxRepeats), Exactly(1)),
		Flow: w.way(&form.Flow, &form.spot, "flow", nesting{depth: in.depth + 1, reply: in.reply}),
	}
}

// choose resolves the step of that name.
func (w *flowReader) choose(step *flowStepForm, in nesting) Step {
	form, c := &step.Choose, &Choose{Place: placeOf(&step.spot)}
	sum, known := 0.0, true
	for _, item := range form.items {
		w.require(&item.Share.spot, &item.spot, "share", "say how often it is chosen: {share: 30%, flow: [{send: message}]}")
		known = known && item.Share.usable()
		sum += item.Share.v
		c.Ways = append(c.Ways, Way{Share: item.Share.v, Flow: w.way(&item.Flow, &item.spot, "flow", nesting{depth: in.depth + 1, reply: in.reply})})
	}
	switch {
	case form.usable() && len(form.items) == 0:
		w.add(form.at, form.path+": there is nothing to choose", "write choose: [{share: 30%, flow: [...]}, {share: 70%, flow: [...]}]")
	case known && form.usable():
		w.checkWhole(&form.spot, sum)
	}
	return c
}

// way resolves a flow that must be there; it may be empty, which is to do nothing.
func (w *flowReader) way(form *flowForm, in *spot, name string, at nesting) []Step {
	w.require(&form.spot, in, name, "write what is done: "+name+": [{send: message}]; "+name+": [] is nothing")
	if !form.given() {
		return nil
	}
	return w.read(form, at)
}

// branch resolves an if.
func (w *flowReader) branch(step *flowStepForm, in nesting) []Step {
	form := &step.If
	w.require(&form.Value.spot, &form.spot, "value", "say what is looked at: if: {value: \"${reply.status}\", is: \"409\", then: [...]}")
	operands := map[Comparison]*text{
		Is: &form.Is, IsNot: &form.IsNot, IsBelow: &form.Below, IsAbove: &form.Above, IsAtMost: &form.AtMost, IsAtLeast: &form.AtLeast,
		Contains: &form.Contains, Matches: &form.Matches,
	}
	verbs := make([]verb, 0, len(operands))
	for _, c := range comparisons() {
		verbs = append(verbs, verb{string(c), &operands[c].spot})
	}
	i := &If{Place: placeOf(&step.spot), Value: w.text(&form.Value, nil)}
	i.Is = Comparison(w.oneVerb(&form.spot, verbs, "an if", "say how the value must be, by one of "))
	if operand := operands[i.Is]; operand != nil {
		i.Operand = w.text(operand, nil)
		w.checkOperand(i, operand)
	}
	inner := nesting{depth: in.depth + 1, reply: in.reply}
	i.Then = w.way(&form.Then, &form.spot, "then", inner)
	if form.Else.given() {
		i.Else = w.read(&form.Else, inner)
	}
	return []Step{i}
}

// checkOperand refuses an operand to which nothing can stand as the comparison says.
func (w *flowReader) checkOperand(i *If, form *text) {
	text, constant := i.Operand.Constant()
	switch {
	case i.Is == Matches && !constant:
		w.add(form.at, form.path+": a regular expression cannot be filled in", "write it out, and $${ for the two characters themselves; to compare with what is known use contains")
	case i.Is == Matches && len(text) > maxPattern:
		w.add(form.at, form.path+": the expression is longer than "+counted(maxPattern, "byte"), "")
	case i.Is == Matches:
		if err := checkRegex(text); err != nil {
			w.addError(form.at, form.path, err)
		}
	case constant && (i.Is == IsBelow || i.Is == IsAbove || i.Is == IsAtMost || i.Is == IsAtLeast):
		if _, ok := parseDecimal(text); !ok {
			w.add(form.at, form.path+": "+quote(text)+" is no number", "write one without a unit: "+string(i.Is)+": 10")
		}
	}
}
